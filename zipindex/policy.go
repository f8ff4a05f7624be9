package zipindex

const (
	methodStored   = 0
	methodDeflated = 8
	methodAES      = 99

	flagEncrypted  = 1 << 0  // APPNOTE 4.4.4
	flagDescriptor = 1 << 3  // sizes follow the data
	flagStrong     = 1 << 6  // strong encryption
	flagUTF8       = 1 << 11 // name is UTF-8
	flagMasked     = 1 << 13 // local header values are masked
	flagsEncrypted = flagEncrypted | flagStrong | flagMasked

	hostUnix  = 3  // APPNOTE 4.4.2
	hostMacOS = 19 // OS X
	modeType  = 0o170000
	modeFIFO  = 0o010000
	modeDir   = 0o040000
	modeFile  = 0o100000
)

// MaxInflated is the size of the largest deflated entry that a gateway serves: it has to inflate all before any byte of it. Larger ones are not refused by this package.
const MaxInflated = 64 << 20

// reason is why an entry is hidden; 0 when it is served.
type reason uint8

const (
	served reason = iota
	badName
	directory
	encrypted
	otherMethod
	sizeMismatch
	specialFile
)

var reasons = [...]struct {
	code   Code
	detail string
}{
	badName:      {CodeBadPath, "the entry's name is no path that may be served"},
	directory:    {CodeDirectoryEntry, "the entry is a directory"},
	encrypted:    {CodeEncrypted, "the entry is encrypted"},
	otherMethod:  {CodeMethod, "the entry is neither stored nor deflated"},
	sizeMismatch: {CodeSizeMismatch, "the entry is stored and yet has two sizes"},
	specialFile:  {CodeSpecialFile, "the entry is a symbolic link or a device"},
}

// judge says whether an entry is served. An encrypted one is told before its sizes are compared: its
// encryption header makes them differ.
func judge(r *record, name []byte, bad bool) reason {
	switch {
	case bad:
		return badName
	case name[len(name)-1] == '/':
		return directory
	case r.flags&flagsEncrypted != 0 || r.method == methodAES:
		return encrypted
	case r.method != methodStored && r.method != methodDeflated:
		return otherMethod
	case r.method == methodStored && r.size != r.compressed:
		return sizeMismatch
	}
	return judgeMode(r)
}

// judgeMode looks at the file type of Unix hosts. A FIFO with data is a file: `zip a.zip -` marks so what it read from a pipe.
func judgeMode(r *record) reason {
	if host := r.madeBy >> 8; host != hostUnix && host != hostMacOS {
		return served
	}
	switch r.external >> 16 & modeType {
	case 0, modeFile:
		return served
	case modeFIFO:
		if r.size > 0 {
			return served
		}
	case modeDir:
		if r.size == 0 {
			return directory
		}
	}
	return specialFile
}
