package ziptest

import (
	"bytes"
	"strings"

	"zipreel/zipindex"
)

// Case is an archive and what is to be made of it.
type Case struct {
	Name   string
	Data   []byte
	Code   zipindex.Code            // why the archive is refused; empty where it is read
	Hidden map[string]zipindex.Code // entries that are found and not served
	Served []string                 // entries that are, all of them
	Local  map[string]zipindex.Code // those of Served whose local header CheckLocal refuses
}

// Cases are archives of every kind the policy names, and of every way known in which two readers can understand one archive differently.
func Cases() []Case {
	var all []Case
	for _, some := range [][]Case{wellFormed(), endCases(), zip64Cases(), directoryCases(), nameCases(), hiddenCases(), localCases()} {
		all = append(all, some...)
	}
	return all
}

var (
	a = File{Name: "a.ts", Data: []byte("the content of a")}
	b = File{Name: "b.ts", Data: []byte("what is in b, which is longer")}
)

// with answers a copy of f, changed.
func (f File) with(change func(*File)) File {
	change(&f)
	return f
}

func files(f ...File) Archive { return Archive{Files: f} }

func wellFormed() []Case {
	deferred := a.with(func(f *File) { f.Flags, f.After = 8, Descriptor(f.Data) })
	return []Case{
		{Name: "stored", Data: files(a, b).Build(), Served: []string{"a.ts", "b.ts"}},
		{Name: "no entries", Data: Archive{}.Build()},
		{Name: "names out of order", Data: files(b, a).Build(), Served: []string{"a.ts", "b.ts"}},
		{Name: "empty entries", Data: files(File{Name: "x"}, File{Name: "y"}, a, File{Name: "z"}).Build(), Served: []string{"a.ts", "x", "y", "z"}},
		{Name: "deflated", Data: files(Deflated("d.m3u8", bytes.Repeat([]byte("#EXTINF\n"), 99)), a).Build(), Served: []string{"a.ts", "d.m3u8"}},
		{Name: "data descriptors", Data: files(deferred, b).Build(), Served: []string{"a.ts", "b.ts"}},
		{Name: "comment", Data: Archive{Files: []File{a}, Comment: []byte("made for tests")}.Build(), Served: []string{"a.ts"}},
		{Name: "longest comment", Data: Archive{Files: []File{a}, Comment: bytes.Repeat([]byte("c"), 1<<16-1)}.Build(), Served: []string{"a.ts"}},
		{Name: "local extra field", Data: files(a.with(func(f *File) { f.LocalExtra = Extra(0x5455, make([]byte, 9)) }), b).Build(), Served: []string{"a.ts", "b.ts"}},
		{Name: "data before the first header, offsets count it", Data: Archive{Prefix: []byte("#!/bin/sh\n"), Files: []File{a}}.Build(), Served: []string{"a.ts"}},
		{Name: "directory not in order of offsets", Data: outOfOrder(), Served: []string{"a.ts", "b.ts"}},
		{Name: "large beside small", Data: files(a, File{Name: "big.mp4", Data: make([]byte, 200<<10)}).Build(), Served: []string{"a.ts", "big.mp4"}},
	}
}

// outOfOrder is an archive whose directory begins with its last entry.
func outOfOrder() []byte {
	lastInFile := a.with(func(f *File) { f.NoLocal = true })
	lastInFile.Central = Put32(CentralOffset, uint32(len(b.local())+len(b.Data)))
	return files(lastInFile, b, a.with(func(f *File) { f.NoCentral = true })).Build()
}

func endCases() []Case {
	plain := files(a, b).Build()
	whole := func(name string, code zipindex.Code, ar Archive) Case {
		return Case{Name: name, Data: ar.Build(), Code: code}
	}
	ab := []File{a, b}
	served := []string{"a.ts", "b.ts"}
	return []Case{
		{Name: "empty file", Code: zipindex.CodeNotFound},
		{Name: "one byte", Data: []byte("P"), Code: zipindex.CodeNotFound},
		{Name: "no ZIP", Data: bytes.Repeat([]byte("no ZIP at all "), 9), Code: zipindex.CodeNotFound},
		{Name: "no ZIP, large", Data: make([]byte, 300<<10), Code: zipindex.CodeNotFound},
		{Name: "cut in the end record", Data: plain[:len(plain)-1], Code: zipindex.CodeNotFound},
		{Name: "cut in the directory", Data: plain[:len(plain)-30], Code: zipindex.CodeNotFound},
		{Name: "NULs behind the end", Data: append(bytes.Clone(plain), make([]byte, 16<<10)...), Served: served},
		{Name: "too many NULs behind the end", Data: append(bytes.Clone(plain), make([]byte, 16<<10+1)...), Code: zipindex.CodeAmbiguousEnd},
		whole("bytes behind the end", zipindex.CodeAmbiguousEnd, Archive{Files: ab, Trailer: []byte("x")}),
		whole("comment too long for the file", zipindex.CodeAmbiguousEnd, Archive{Files: ab, End: Put16(EndComment, 5)}),
		whole("comment shorter than stated by what follows", zipindex.CodeAmbiguousEnd, Archive{Files: ab, Comment: []byte("comment"), End: Put16(EndComment, 3)}),
		whole("end record within the comment", zipindex.CodeAmbiguousEnd, Archive{Files: ab, Comment: Archive{}.Build()}),
		whole("archive within the comment", zipindex.CodeAmbiguousEnd, Archive{Files: ab, Comment: files(b).Build()}),
		{Name: "archive behind an archive", Data: append(bytes.Clone(plain), plain...), Code: zipindex.CodePrefixData},
		{Name: "data before the first header that shifts offsets", Data: append([]byte("#!/bin/sh\n"), plain...), Code: zipindex.CodePrefixData},
		whole("bytes between directory and end", zipindex.CodePrefixData, Archive{Files: ab, Gap: []byte("gap")}),
		whole("directory offset too small", zipindex.CodePrefixData, Archive{Files: ab, End: Put32(EndOffset, 3)}),
		whole("directory offset beyond the file", zipindex.CodePrefixData, Archive{Files: ab, End: Put32(EndOffset, 1<<31)}),
		whole("directory size beyond the file", zipindex.CodePrefixData, Archive{Files: ab, End: Put32(EndSize, 1<<31)}),
		whole("one entry more than there is", zipindex.CodeDirectoryCount, Archive{Files: ab, End: Edits(Put16(EndEntriesHere, 3), Put16(EndEntries, 3))}),
		whole("one entry fewer than there is", zipindex.CodeDirectoryCount, Archive{Files: ab, End: Edits(Put16(EndEntriesHere, 1), Put16(EndEntries, 1))}),
		whole("more entries than the directory has room for", zipindex.CodeDirectoryCount, Archive{Files: ab, End: Edits(Put16(EndEntriesHere, 60000), Put16(EndEntries, 60000))}),
		whole("on the second disk", zipindex.CodeMultidisk, Archive{Files: ab, End: Put16(EndDisk, 1)}),
		whole("directory on the second disk", zipindex.CodeMultidisk, Archive{Files: ab, End: Put16(EndDisk+2, 1)}),
		whole("other counts for this disk and all", zipindex.CodeMultidisk, Archive{Files: ab, End: Put16(EndEntriesHere, 1)}),
	}
}

func zip64Cases() []Case {
	ab := []File{a, b}
	served := []string{"a.ts", "b.ts"}
	small := func(name string, code zipindex.Code, e64, loc, end Edit) Case {
		c := Case{Name: "ZIP64: " + name, Data: Archive{Files: ab, Zip64: true, End64: e64, Locator: loc, End: end}.Build(), Code: code}
		if code == "" {
			c.Served = served
		}
		return c
	}
	ones := Edits(Put16(EndEntriesHere, 1<<16-1), Put16(EndEntries, 1<<16-1), Put32(EndSize, 1<<32-1), Put32(EndOffset, 1<<32-1))
	const mismatch = zipindex.CodeZip64Mismatch
	return append(zip64Extras(), []Case{
		small("fields repeated", "", nil, nil, nil),
		small("fields all ones", "", nil, nil, ones),
		small("no record, fields all ones", zipindex.CodePrefixData, nil, PutString(0, "XXXX"), ones),
		small("other count", mismatch, Edits(Put64(End64Entries, 1), Put64(End64EntriesHere, 1)), nil, nil),
		small("other size", zipindex.CodePrefixData, Put64(End64Size, 46), nil, nil),
		small("other offset", zipindex.CodePrefixData, Put64(End64Offset, 46), nil, nil),
		small("other size in the end record", mismatch, nil, nil, Put32(EndSize, 46)),
		small("other offset in the end record", mismatch, nil, nil, Put32(EndOffset, 46)),
		small("huge count", zipindex.CodeTooLarge, Edits(Put64(End64Entries, 1<<63), Put64(End64EntriesHere, 1<<63)), nil, ones),
		small("huge size", zipindex.CodePrefixData, Put64(End64Size, 1<<63), nil, ones),
		small("locator points elsewhere", zipindex.CodePrefixData, nil, Put64(LocatorOffset, 1), nil),
		small("locator points beyond", zipindex.CodePrefixData, nil, Put64(LocatorOffset, 1<<63), nil),
		small("locator alone", zipindex.CodePrefixData, PutString(0, "XXXX"), nil, nil),
		small("record ends elsewhere", zipindex.CodePrefixData, Put64(End64Len, 43), nil, nil),
		small("record of all the file", zipindex.CodePrefixData, Put64(End64Len, 1<<63), nil, nil),
		small("two disks", zipindex.CodeMultidisk, nil, Put32(LocatorDisks, 2), nil),
		small("on the second disk", zipindex.CodeMultidisk, Put32(End64Disk, 1), nil, nil),
		{Name: "ZIP64: extensible data", Data: Archive{Files: ab, Zip64: true, Ext64: make([]byte, 100)}.Build(), Served: served},
		{Name: "ZIP64: extensible data of unusual length", Data: Archive{Files: ab, Zip64: true, Ext64: make([]byte, 100<<10)}.Build(), Code: zipindex.CodePrefixData},
	}...)
}

// zip64Extras are archives with ZIP64 extra fields, needed or not.
func zip64Extras() []Case {
	const ones = 1<<32 - 1
	n := uint64(len(a.Data))
	bothOnes := Edits(Put32(CentralSize, ones), Put32(CentralCompressed, ones))
	localOnes := Edits(Put32(LocalSize, ones), Put32(LocalCompressed, ones))
	entry := func(name string, code zipindex.Code, extra []byte, central Edit) Case {
		c := Case{Name: "ZIP64 extra: " + name, Code: code, Data: files(a.with(func(f *File) { f.Extra, f.Central = extra, central }), b).Build()}
		if code == "" {
			c.Served = []string{"a.ts", "b.ts"}
		}
		return c
	}
	const mismatch = zipindex.CodeZip64Mismatch
	return []Case{
		entry("sizes", "", Extra64(n, n), bothOnes),
		entry("offset alone", "", Extra64(0), Put32(CentralOffset, ones)),
		entry("all three", "", Extra64(n, n, 0), Edits(bothOnes, Put32(CentralOffset, ones))),
		entry("not asked for, the same", "", Extra64(n, n), nil),
		entry("not asked for, another size", mismatch, Extra64(n+1, n), nil),
		entry("not asked for, another offset", mismatch, Extra64(n, n, 5), nil),
		entry("missing", mismatch, nil, bothOnes),
		entry("too short", mismatch, Extra64(n), bothOnes),
		entry("two of them", mismatch, append(Extra64(n, n), Extra64(n, n)...), bothOnes),
		entry("sizes beyond the file", mismatch, Extra64(1<<62, 1<<62), bothOnes),
		entry("sizes that wrap around", mismatch, Extra64(1<<64-1, 1<<64-1), bothOnes),
		entry("offset beyond the file", zipindex.CodeOverlap, Extra64(1<<63), Put32(CentralOffset, ones)),
		{
			Name: "ZIP64 extra: local one alone", Served: []string{"a.ts", "b.ts"},
			Data: files(a.with(func(f *File) { f.LocalExtra, f.Local = Extra64(n, n), localOnes }), b).Build(),
		},
		{
			Name: "ZIP64 extra: local one differs", Served: []string{"a.ts", "b.ts"}, Local: mismatched("a.ts"),
			Data: files(a.with(func(f *File) { f.LocalExtra, f.Local = Extra64(n-1, n-1), localOnes }), b).Build(),
		},
		{
			Name: "ZIP64 extra: local one missing", Served: []string{"a.ts", "b.ts"}, Local: mismatched("a.ts"),
			Data: files(a.with(func(f *File) { f.Local = localOnes }), b).Build(),
		},
		{
			Name: "ZIP64 extra: local one twice", Served: []string{"a.ts", "b.ts"}, Local: mismatched("a.ts"),
			Data: files(a.with(func(f *File) { f.LocalExtra, f.Local = append(Extra64(n, n), Extra64(1, 1)...), localOnes }), b).Build(),
		},
	}
}

func mismatched(names ...string) map[string]zipindex.Code {
	m := map[string]zipindex.Code{}
	for _, n := range names {
		m[n] = zipindex.CodeLocalMismatch
	}
	return m
}

func directoryCases() []Case {
	first := func(name string, code zipindex.Code, central Edit) Case {
		return Case{Name: name, Code: code, Data: files(a.with(func(f *File) { f.Central = central }), b).Build()}
	}
	second := func(name string, code zipindex.Code, central Edit) Case {
		return Case{Name: name, Code: code, Data: files(a, b.with(func(f *File) { f.Central = central })).Build()}
	}
	hidden := File{Name: "c.ts", Data: []byte("no directory names me"), NoCentral: true}
	return []Case{
		first("central header without signature", zipindex.CodeDirectoryCount, PutString(0, "XXXX")),
		second("name runs over the directory", zipindex.CodeDirectoryCount, Put16(CentralNameLen, 1<<16-1)),
		first("entry on the second disk", zipindex.CodeMultidisk, Put16(CentralDisk, 1)),
		first("sizes beyond the file", zipindex.CodeZip64Mismatch, Edits(Put32(CentralSize, 1<<31), Put32(CentralCompressed, 1<<31))),
		first("offset beyond the directory", zipindex.CodeOverlap, Put32(CentralOffset, 1<<31)),
		first("data reaches into the next header", zipindex.CodeOverlap, Edits(Put32(CentralSize, 17), Put32(CentralCompressed, 17))),
		second("data reaches into the directory", zipindex.CodeOverlap, Edits(Put32(CentralSize, 30), Put32(CentralCompressed, 30))),
		second("two entries share their data", zipindex.CodeOverlap, Put32(CentralOffset, 0)),
		{Name: "the same entry twice", Code: zipindex.CodeOverlap, Data: files(a, a.with(func(f *File) { f.NoLocal, f.Central = true, Put32(CentralOffset, 0) })).Build()},
		{Name: "record only a streaming reader sees, between entries", Data: files(a, hidden, b).Build(), Served: []string{"a.ts", "b.ts"}},
		{Name: "record only a streaming reader sees, at the start", Data: files(hidden, a).Build(), Served: []string{"a.ts"}},
		{Name: "record only a streaming reader sees, at the end", Data: files(a, hidden).Build(), Served: []string{"a.ts"}},
		{Name: "entry only the directory knows", Data: files(a, b.with(func(f *File) { f.NoLocal, f.After = true, make([]byte, 99) })).Build(), Served: []string{"a.ts", "b.ts"}, Local: mismatched("b.ts")},
		{Name: "archive stored within an archive", Data: files(File{Name: "in.zip", Data: files(a).Build()}).Build(), Served: []string{"in.zip"}},
	}
}

func nameCases() []Case {
	named := func(names ...string) Archive {
		var ar Archive
		for _, n := range names {
			ar.Files = append(ar.Files, a.with(func(f *File) { f.Name = n }))
		}
		return ar
	}
	cases := []Case{
		{Name: "the same name twice", Data: named("a", "a").Build(), Code: zipindex.CodeDuplicateName},
		{Name: "the same name twice, far apart", Data: named("b", "a", "c", "b").Build(), Code: zipindex.CodeDuplicateName},
		{Name: "the same name but for ./", Data: named("a", "./a").Build(), Code: zipindex.CodeDuplicateName},
		{Name: "the same name in UTF-8 and CP437", Data: named("\u00fc", "\x81").Build(), Code: zipindex.CodeDuplicateName},
		{Name: "leading ./", Data: named("./a", "./d/b").Build(), Served: []string{"a", "d/b"}},
		{Name: "names that differ in case", Data: named("A.ts", "a.ts").Build(), Served: []string{"A.ts", "a.ts"}},
		{Name: "names that differ in normal form", Data: named("\u00fc", "u\u0308").Build(), Served: []string{"u\u0308", "\u00fc"}},
		{Name: "name of a file and a directory", Data: named("a", "a/", "a/b").Build(), Served: []string{"a", "a/b"}, Hidden: map[string]zipindex.Code{"a/": zipindex.CodeDirectoryEntry}},
		{Name: "name in CP437", Data: named("gr\x81\xe1e.ts").Build(), Served: []string{"gr\u00fc\u00dfe.ts"}},
		{Name: "name in UTF-8 without the flag", Data: named("gr\u00fc\u00dfe.ts").Build(), Served: []string{"gr\u00fc\u00dfe.ts"}},
		{Name: "name as long as may be", Data: named(strings.Repeat("n", 1<<16-1), "o").Build(), Served: []string{strings.Repeat("n", 1<<16-1), "o"}},
		{Name: "dots and dashes that are names", Data: named("...", "..a", "a..", ".a", "-a", "~a", "d/-", "d/~").Build(), Served: []string{"-a", "...", "..a", ".a", "a..", "d/-", "d/~", "~a"}},
		{Name: "special bytes that are names", Data: named("a b", "a%2fb", "a?b#c", "ab:c", "a:b", "a*b|c<d>\"").Build(), Served: []string{"a b", "a%2fb", "a*b|c<d>\"", "a:b", "a?b#c", "ab:c"}},
		{
			Name: "invalid UTF-8 with the flag", Data: files(a.with(func(f *File) { f.Name, f.Flags = "a\xff", 1<<11 }), b).Build(),
			Hidden: map[string]zipindex.Code{"a\xff": zipindex.CodeBadPath}, Served: []string{"b.ts"},
		},
	}
	flagged := func(names ...string) Archive {
		ar := named(names...)
		for i := range ar.Files {
			ar.Files[i].Flags = 1 << 11
		}
		return ar
	}
	cases = append(cases,
		Case{
			Name: "names of invalid UTF-8 that look the same once repaired", Data: flagged("a\xff", "a\xfe", "./a\xff", "a\ufffd").Build(), Served: []string{"a\ufffd"},
			Hidden: map[string]zipindex.Code{"a\xff": zipindex.CodeBadPath, "a\xfe": zipindex.CodeBadPath, "./a\xff": zipindex.CodeBadPath},
		},
		Case{Name: "the same name of invalid UTF-8 twice", Data: flagged("a\xff", "b", "a\xff").Build(), Code: zipindex.CodeDuplicateName},
		Case{
			Name: "bytes that go on where a name of the same folder has half a character", Data: flagged("d/a\u00fc.ts", "d/a\xc3.ts", "d/a\u00fc", "d/b").Build(),
			Served: []string{"d/a\u00fc.ts", "d/a\u00fc", "d/b"}, Hidden: map[string]zipindex.Code{"d/a\xc3.ts": zipindex.CodeBadPath},
		},
		Case{
			Name: "a drive behind a name that begins like it", Data: named("c:x", "c:", "c:/x", "c:y").Build(),
			Served: []string{"c:x", "c:y"}, Hidden: map[string]zipindex.Code{"c:": zipindex.CodeBadPath, "c:/x": zipindex.CodeBadPath},
		},
		Case{
			Name: "bad names beside good ones", Data: named("a", "a:", "d/a", "d/.", "d/a.", "d/..", "d/...", "d/a\x7f", "d/a\\", "d/-", "d//", "d/b/", "-", "~/d", "~d").Build(),
			Served: []string{"a", "d/a", "d/a.", "d/...", "d/-", "~d"},
			Hidden: map[string]zipindex.Code{
				"a:": zipindex.CodeBadPath, "d/.": zipindex.CodeBadPath, "d/..": zipindex.CodeBadPath, "d/a\x7f": zipindex.CodeBadPath, "d/a\\": zipindex.CodeBadPath,
				"d//": zipindex.CodeBadPath, "d/b/": zipindex.CodeDirectoryEntry, "-": zipindex.CodeBadPath, "~/d": zipindex.CodeBadPath,
			},
		},
	)
	for _, bad := range []string{
		"", "/", "/a", "//a", "a//b", "a//", "..", "../a", "a/../b", "a/..", "a/../", ".", "./", "a/./b", "././a", "a/.", "a\\b", "..\\a", "c:/a", "c:", "C:\\a",
		"a\x00", "a\x00.ts", "\x01", "a\nb", "a\x7f", "-", "-/a", "~", "~/a", "./..", "./../a", ".//a", "./-/a",
	} {
		name := bad
		if len(bad) > 2 && bad[:2] == "./" {
			name = bad[2:]
		}
		cases = append(cases, Case{Name: "bad path " + bad, Data: named(bad, "z.ts").Build(), Hidden: map[string]zipindex.Code{name: zipindex.CodeBadPath}, Served: []string{"z.ts"}})
	}
	return cases
}

func hiddenCases() []Case {
	const unix = 3 << 8
	// both changes the fields that local and central header share.
	hide := func(name string, code zipindex.Code, change func(*File)) Case {
		return Case{Name: name, Data: files(a.with(change), b).Build(), Hidden: map[string]zipindex.Code{"a.ts": code}, Served: []string{"b.ts"}}
	}
	serve := func(name string, change func(*File)) Case {
		return Case{Name: name, Data: files(a.with(change), b).Build(), Served: []string{"a.ts", "b.ts"}}
	}
	mode := func(m uint32) func(*File) { return func(f *File) { f.MadeBy, f.External = unix, m<<16 } }
	return []Case{
		hide("bzip2", zipindex.CodeMethod, func(f *File) { f.Method = 12 }),
		hide("deflate64", zipindex.CodeMethod, func(f *File) { f.Method = 9 }),
		hide("zstandard", zipindex.CodeMethod, func(f *File) { f.Method = 93 }),
		hide("stored with two sizes", zipindex.CodeSizeMismatch, func(f *File) { f.Size = 5 }),
		hide("encrypted", zipindex.CodeEncrypted, func(f *File) { f.Flags = 1 }),
		hide("strongly encrypted", zipindex.CodeEncrypted, func(f *File) { f.Flags = 1 << 6 }),
		hide("masked headers", zipindex.CodeEncrypted, func(f *File) { f.Flags = 1 << 13 }),
		hide("encrypted, two sizes", zipindex.CodeEncrypted, func(f *File) { f.Flags, f.Size = 1, 4 }),
		hide("AES", zipindex.CodeEncrypted, func(f *File) { f.Method = 99 }),
		hide("symbolic link", zipindex.CodeSpecialFile, mode(0o120777)),
		hide("symbolic link made on a Mac", zipindex.CodeSpecialFile, func(f *File) { f.MadeBy, f.External = 19<<8, 0o120777<<16 }),
		hide("block device", zipindex.CodeSpecialFile, mode(0o060644)),
		hide("character device", zipindex.CodeSpecialFile, mode(0o020644)),
		hide("socket", zipindex.CodeSpecialFile, mode(0o140644)),
		hide("FIFO without data", zipindex.CodeSpecialFile, func(f *File) { mode(0o010644)(f); f.Data = nil }),
		hide("directory by its mode", zipindex.CodeDirectoryEntry, func(f *File) { mode(0o040755)(f); f.Data = nil }),
		hide("directory by its mode, with data", zipindex.CodeSpecialFile, mode(0o040755)),
		serve("FIFO with data", mode(0o010644)),
		serve("regular file", mode(0o100644)),
		serve("no file type", mode(0o644)),
		serve("link's mode, made on MS-DOS", func(f *File) { f.External = 0o120777 << 16 }),
	}
}

// localCases are archives whose directory is right and whose first entry's local header is another's.
func localCases() []Case {
	differs := func(name string, change func(*File)) Case {
		return Case{Name: "local header: " + name, Data: files(a.with(change), b).Build(), Served: []string{"a.ts", "b.ts"}, Local: mismatched("a.ts")}
	}
	local := func(e Edit) func(*File) { return func(f *File) { f.Local = e } }
	deferred := func(e Edit) func(*File) {
		return func(f *File) { f.Flags, f.After, f.Local = 8, Descriptor(f.Data), e }
	}
	n := uint32(len(a.Data))
	return []Case{
		differs("no signature", local(PutString(0, "PK\x01\x02"))),
		differs("another method", local(Put16(LocalMethod, 8))),
		differs("another method in the directory", func(f *File) { f.Method, f.Local = 8, Put16(LocalMethod, 0) }),
		differs("another size", local(Put32(LocalSize, n-1))),
		differs("another compressed size", local(Put32(LocalCompressed, n-1))),
		differs("another CRC", local(Put32(LocalCRC, 1))),
		differs("no CRC", local(Put32(LocalCRC, 0))),
		differs("no sizes", local(Edits(Put32(LocalSize, 0), Put32(LocalCompressed, 0)))),
		differs("another name", local(PutString(LocalName, "b.ts"))),
		differs("another case of the name", local(PutString(LocalName, "A.ts"))),
		differs("a longer name", local(Edits(Put16(LocalNameLen, 5)))),
		differs("a shorter name", local(Edits(Put16(LocalNameLen, 3)))),
		differs("an absolute name", local(PutString(LocalName, "/.ts"))),
		differs("a directory", local(PutString(LocalName, "a.t/"))),
		differs("a NUL in the name", local(PutString(LocalName, "a\x00ts"))),
		differs("a backslash in the name", local(PutString(LocalName, "a\\ts"))),
		differs("encrypted", local(Put16(LocalFlags, 1))),
		differs("deferred sizes", local(Put16(LocalFlags, 8))),
		differs("UTF-8 flag", local(Put16(LocalFlags, 1<<11))),
		differs("extra field that moves the data", local(Put16(LocalExtraLen, 4))),
		differs("deferred, and another size", deferred(Put32(LocalSize, n+1))),
		differs("deferred, and another compressed size", deferred(Put32(LocalCompressed, n+1))),
		differs("deferred, and another CRC", deferred(Put32(LocalCRC, 1))),
		differs("not deferred, as the directory says", func(f *File) { deferred(Put16(LocalFlags, 0))(f) }),
		{
			Name: "local header: deferred, and yet given", Served: []string{"a.ts", "b.ts"},
			Data: files(a.with(deferred(Edits(Put32(LocalSize, n), Put32(LocalCompressed, n), Put32(LocalCRC, a.crc())))), b).Build(),
		},
	}
}
