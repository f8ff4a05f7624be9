package access

import "testing"

func TestHostsAllow(t *testing.T) {
	local := []string{"localhost", "127.0.0.1", "[::1]"}
	tests := []struct {
		names []string
		host  string
		want  bool
	}{
		{nil, "anything.example", true},
		{nil, "", true},
		{local, "localhost", true},
		{local, "LOCALHOST:8080", true},
		{local, "localhost.:8080", true},
		{local, "127.0.0.1:1", true},
		{local, "127.4.5.6:80", true},
		{local, "[::1]:8080", true},
		{local, "[::1]", true},
		{local, "evil.example:8080", false},
		{local, "localhost.evil.example", false},
		{local, "127.0.0.1.evil.example", false},
		{local, "10.0.0.1:8080", false},
		{local, "", false},
		{append(local, "tv.example:443"), "tv.example", true},
	}
	for _, tt := range tests {
		if got := NewHosts(tt.names).Allow(tt.host); got != tt.want {
			t.Errorf("NewHosts(%q).Allow(%q) = %v, want %v", tt.names, tt.host, got, tt.want)
		}
	}
}
