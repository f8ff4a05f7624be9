// Package faults holds the gateway against storage, networks and viewers that misbehave: one row of a table for each fault, played by
// three kinds of viewer. It holds tests only.
//
// A row is played in a process of its own for each viewer (this test's binary, started again), so that goroutines and descriptors can be counted
// while other rows run, and so that a crash is one row's alone. There the viewer first plays a healthy gateway and then a faulty one; the difference is
// what the fault costs. `make faults` prints the table.
package faults
