// Command zipindex measures github.com/minio/zipindex for the comparison. It reads the end of an archive from a file, given the
// archive's size and names to look up on standard input, and prints nanoseconds and bytes. It is a module of its own, so that
// zipreel does not depend on it.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/minio/zipindex"
)

const (
	parseFor = 20 * time.Millisecond
	lookFor  = 100 * time.Millisecond
)

func main() {
	tail, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	size, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	var names []string
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		names = append(names, lines.Text())
	}
	before := heap()
	began := time.Now()
	files, err := zipindex.ReadDir(tail, size, nil)
	if err != nil {
		log.Fatal(err)
	}
	took := time.Since(began)
	held := heap() - before
	if took < parseFor {
		n := time.Duration(0)
		for began = time.Now(); time.Since(began) < parseFor; n++ {
			if files, err = zipindex.ReadDir(tail, size, nil); err != nil {
				log.Fatal(err)
			}
		}
		took = time.Since(began) / n
	}
	looked := 0
	began = time.Now()
	for time.Since(began) < lookFor {
		if files.Find(names[looked%len(names)]) == nil {
			log.Fatalf("%q is not found", names[looked%len(names)])
		}
		looked++
	}
	each := time.Since(began) / time.Duration(looked)
	runtime.KeepAlive(tail)
	fmt.Println(took.Nanoseconds(), held, each.Nanoseconds())
}

// heap is the bytes that are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
