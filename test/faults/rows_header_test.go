package faults

var headerRows = []row{}
