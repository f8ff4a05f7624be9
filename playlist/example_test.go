package playlist_test

import (
	"fmt"

	"zipreel/playlist"
)

func ExampleRewrite() {
	// What lies where in the archive is the caller's knowledge.
	names := map[int64]string{1000: "video/seg 1.ts", 5000: "video/seg 2.ts"}

	src := []byte("#EXTM3U\n#EXTINF:4,\nbbb.zip?range=1000,4000\n#EXTINF:4,\nbbb.zip?range=5000,4000&t=1\n")
	out, err := playlist.Rewrite(nil, src, playlist.HLS, func(l playlist.Link) (string, bool) {
		if l.State != playlist.Valid || !l.Local() {
			return "", false
		}
		return l.With(playlist.Reference("video/index.m3u8", names[l.Off])), true
	})
	fmt.Printf("%s%v", out, err)
	// Output:
	// #EXTM3U
	// #EXTINF:4,
	// seg%201.ts
	// #EXTINF:4,
	// seg%202.ts?t=1
	// <nil>
}

func ExampleResolve() {
	fmt.Println(playlist.Resolve("video/720p/index.m3u8", "../audio/seg%201.aac"))
	fmt.Println(playlist.Resolve("video/720p/index.m3u8", "/keys/1.key"))
	fmt.Println(playlist.Resolve("video/720p/index.m3u8", "../../../secret"))
	// Output:
	// video/audio/seg 1.aac true
	// keys/1.key true
	//  false
}
