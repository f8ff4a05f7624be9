package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// eachFlag calls f with every flag of every command.
func eachFlag(app *kong.Node, f func(command *kong.Node, flag *kong.Flag)) {
	for _, command := range app.Children {
		for _, flag := range command.Flags {
			if flag.Name != "help" {
				f(command, flag)
			}
		}
	}
}

func TestEveryFlagHasAnEnvironmentTwin(t *testing.T) {
	eachFlag(newParser().Model.Node, func(command *kong.Node, flag *kong.Flag) {
		want := "ZIPREEL_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		if len(flag.Envs) != 1 || flag.Envs[0] != want {
			t.Errorf("%s --%s has the environment twins %q, want %q", command.Name, flag.Name, flag.Envs, want)
		}
		if flag.Help == "" {
			t.Errorf("%s --%s has no help", command.Name, flag.Name)
		}
	})
}

// TestEveryFlagOfServeIsAKey gives each flag a value of its own through a file, and looks for it where it belongs.
func TestEveryFlagOfServeIsAKey(t *testing.T) {
	values := map[string]string{ // what flags of other types take
		"string": "a value", "[]string": "[https://a.example, https://b.example]", "bool": "true", "main.count": "7", "[]main.webOrigin": "[https://a.example, https://b.example]", "[]main.hostName": "[a.example, 192.0.2.1:80]",
		"main.size": "7MiB", "main.sizeOrOff": "off", "main.duration": "7m", "main.logLevel": "warn", "main.logFormat": "json",
	}
	app := newParser().Model.Node
	eachFlag(app, func(command *kong.Node, flag *kong.Flag) {
		if command.Name != "serve" || flag.Name == "config" || flag.Name == "check" { // those two are about the file
			return
		}
		value, ok := values[flag.Target.Type().String()]
		if !ok {
			t.Fatalf("--%s has a type without a test value: %s", flag.Name, flag.Target.Type())
		}
		key := strings.ReplaceAll(flag.Name, "-", "_")
		parser := newParser()
		path := writeFile(t, "zipreel.yaml", key+": "+value+"\n")
		if _, err := parser.Parse([]string{"serve", "--config", path}); err != nil {
			t.Errorf("key %s: %v", key, err)
			return
		}
		want := parseValue(t, flag.Name, value)
		if got := fmt.Sprint(flagValue(parser, flag.Name)); got != want {
			t.Errorf("key %s gives the flag %s, want %s", key, got, want)
		}
	})
}

// parseValue answers what the flag becomes when it is given on the command line.
func parseValue(t *testing.T, flag, value string) string {
	t.Helper()
	parser := newParser()
	value = strings.Trim(strings.ReplaceAll(value, ", ", ","), "[]")
	if _, err := parser.Parse([]string{"serve", "--" + flag + "=" + value}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(flagValue(parser, flag))
}

func flagValue(parser *kong.Kong, name string) any {
	var v any
	eachFlag(parser.Model.Node, func(command *kong.Node, flag *kong.Flag) {
		if command.Name == "serve" && flag.Name == name {
			v = flag.Target.Interface()
		}
	})
	return v
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestConfigOrder holds what wins: command line, environment, file, default.
func TestConfigOrder(t *testing.T) {
	path := writeFile(t, "zipreel.yaml", "memory: 2MiB\nindex_memory: 2MiB\ninflight: 2MiB\n")
	t.Setenv("ZIPREEL_CONFIG", path)
	t.Setenv("ZIPREEL_MEMORY", "3MiB")
	t.Setenv("ZIPREEL_INDEX_MEMORY", "3MiB")
	parser := newParser()
	if _, err := parser.Parse([]string{"serve", "--memory=4MiB"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]size{"memory": 4 << 20, "index-memory": 3 << 20, "inflight": 2 << 20, "max-directory": 128 << 20} {
		if got := flagValue(parser, name); got != want {
			t.Errorf("--%s is %v, want %v", name, got, want)
		}
	}
}

func TestConfigSources(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "zipreel.yaml")
	content := `
sources:
  - name: films
    nodes: [{url: https://storage.example/films/}]
    dialect: range
  - name: own
    nodes:
      - url: clips
    allow_private: true
    immutable: true
`
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "clips"), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := readConfig(path, configKeys(newParser().Model.Node))
	if err != nil {
		t.Fatal(err)
	}
	targets, err := file.targets()
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Name, Where        string
		Private, Immutable bool
	}
	var got []row
	for _, target := range targets {
		where := target.path
		if target.url != nil {
			where = target.url.String()
		}
		got = append(got, row{target.name, where, target.allowPrivate, target.immutable})
	}
	want := []row{{"films", "https://storage.example/films/", false, false}, {"own", filepath.Join(folder, "clips"), true, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources differ (-want +got):\n%s", diff)
	}
}

// node is a file with one source of one node with more keys, in line 3.
func node(keys string) string {
	return "sources:\n# the one\n- {name: films, nodes: [{url: 'https://a.example/', " + keys + "}]}\n"
}

func TestConfigMistakes(t *testing.T) {
	t.Setenv("ZIPREEL_TEST_SECRET", "hunter2")
	tests := []struct {
		name, file string
		want       string // after the file's path
	}{
		{"unknown key", "listen: :8080\n# memory\nmemori: 1GiB\n", `:3: unknown key "memori"; did you mean "memory"?`},
		{"unknown key, unlike any", "x:\n  - 1\n", `:1: unknown key "x"`},
		{"flag that is no key", "check: true\n", `:1: unknown key "check"`},
		{"unknown key of a source", "sources:\n- name: a\n  nodes: [{url: .}]\n  alow_private: true\n", `:4: unknown key "alow_private" in a source; did you mean "allow_private"?`},
		{"unknown key of a node", "sources:\n- name: a\n  nodes:\n  - ulr: .\n", `:4: unknown key "ulr" in a source; did you mean "url"?`},
		{"bad size", "\nmemory: lots\n", `:2: memory: "lots" is no size`},
		{"bad duration", "revalidate: 60\n", `:1: revalidate: "60" is no duration`},
		{"bad level", "log_level: loud\n", `:1: log_level: "loud" is no log level`},
		{"bad number", "max_entries: many\n", `:1: max_entries: "many" is no possible number here`},
		{"bad origin", "allow_origin: https://a.example/x\n", `:1: allow_origin: "https://a.example/x" is no origin`},
		{"bad origin of several", "allow_origin: [https://a.example, b.example]\n", `:1: allow_origin: "b.example" is no origin`},
		{"bad boolean", "access_log: maybe\n", `:1: access_log: bool value must be`},
		{"no value", "listen:\n", `:1: listen: expected one value`},
		{"a list for one value", "memory: [1MiB, 2MiB]\n", `:1: memory: expected one value, not a list`},
		{"a mapping for a value", "host: {a: b}\n", `:1: host: expected one value or a list of them`},
		{"twice", "memory: 1MiB\nlisten: :1\nmemory: 2MiB\n", `:3: mapping key "memory" already defined at line 1`},
		{"no YAML", "listen: [\n", `:`},
		{"a list", "- listen\n", `:1: another kind of value is wanted here; docs/zipreel.example.yaml shows it`},
		{"sources that are none", "sources: films\n", `:1: a list is wanted here`},
		{"no name", "sources:\n- nodes: [{url: .}]\n", `:2: the source has no name`},
		{"bad name", "sources:\n- {name: Films, nodes: [{url: .}]}\n", `:2: bad source name "Films"`},
		{"no node", "sources:\n- name: films\n", `:2: source "films" has no node`},
		{"two nodes that are folders", "sources:\n- {name: films, nodes: [{url: .}, {url: .}]}\n", `:2: source "films" has several nodes: they must be URLs`},
		{"nodes that are not alike", "sources:\n- {name: films, nodes: [{url: 'https://a.example/'}, {url: 'https://b.example/x.zip'}]}\n", `:2: source "films": its nodes must hold the same archives, and https://b.example/x.zip is one archive`},
		{"node without url", "sources:\n- {name: films, nodes: [{username: x}]}\n", `:2: source "films" has a node without url`},
		{"source twice", "sources:\n- {name: films, nodes: [{url: 'https://a.example/'}]}\n- {name: films, nodes: [{url: 'https://b.example/'}]}\n", `:3: source "films" stands in line 2 already`},
		{"dialect", "sources:\n- {name: films, dialect: ftp, nodes: [{url: 'https://a.example/'}]}\n", `:2: source "films", node https://a.example/: dialect "ftp" is unknown; it is range`},
		{"dialect of a folder", "sources:\n- {name: films, dialect: query, nodes: [{url: .}]}\n", `:2: source "films": dialect query and size_url are for nodes`},
		{"headers of a folder", "sources:\n- {name: films, nodes: [{url: ., headers: {A: b}}]}\n", `:2: source "films": . is no URL; headers, credentials`},
		{"s3 settings", "sources:\n- {name: films, nodes: [{url: .}], s3: {region: x}}\n", `:2: source "films" has s3: settings and no node`},
		{"gateways", "sources:\n- {name: films, nodes: [{url: .}], gateways: ['http://h']}\n", `:2: source "films" has gateways and no node`},
		{"unknown key of s3", "sources:\n- name: a\n  s3: {reqion: x}\n", `:3: unknown key "reqion" in a source; did you mean "region"?`},
		{"no such variable", node("token: '${ZIPREEL_TEST_GONE}'"), `:3: source "films": token: the environment has no variable ZIPREEL_TEST_GONE`},
		{"variable of a header", node("headers: {X-Key: '${ZIPREEL_TEST_GONE}'}"), `:3: source "films", node https://a.example/: header X-Key: the environment has no variable`},
		{"header's name", node("headers: {'X Key': x}"), `:3: source "films", node https://a.example/: "X Key" is no header's name`},
		{"header's value", node(`headers: {X-Key: "hunter2\nx"}`), `:3: source "films", node https://a.example/: the value of the header X-Key holds a line break`},
		{"own header", node("headers: {range: bytes=0-1}"), `:3: source "films", node https://a.example/: the header Range is zipreel's own`},
		{"user and token", node("username: u, password: hunter2, token: t"), `:3: source "films", node https://a.example/: a user and a token`},
		{"password and file", node("username: u, password: hunter2, password_file: x"), `:3: source "films", node https://a.example/: password and password_file`},
		{"token and file", node("token: hunter2, token_file: x"), `:3: source "films", node https://a.example/: token and token_file`},
		{"password alone", node("password: hunter2"), `:3: source "films", node https://a.example/: a password without username`},
		{"user with a colon", node("username: 'u:hunter2', password: x"), `:3: source "films", node https://a.example/: username holds a colon`},
		{"variable in a bad URL", "sources:\n- {name: films, nodes: [{url: 'https://${ZIPREEL_TEST_SECRET}@a.example/%zz'}]}\n", `:2: source "films": https://xxxxx@a.example/%zz, with its variables filled in, is neither`},
		{"variable in a bad path", "sources:\n- {name: films, nodes: [{url: 'x/${ZIPREEL_TEST_SECRET}'}]}\n", `:2: source "films": x/${ZIPREEL_TEST_SECRET}, with its variables`},
		{"password file", node("username: u, password_file: gone"), `:3: source "films", node https://a.example/: password_file: read `},
		{"token file", node("token_file: zipreel.yaml"), `:3: source "films", node https://a.example/: token_file: `},
		{"ca", node("ca: zipreel.yaml"), `:3: source "films", node https://a.example/: ca: zipreel.yaml holds no certificate`},
		{"cert alone", node("cert: zipreel.yaml"), `:3: source "films", node https://a.example/: cert and key go together`},
		{"cert and key", node("cert: zipreel.yaml, key: zipreel.yaml"), `:3: source "films", node https://a.example/: cert zipreel.yaml and key zipreel.yaml: tls: `},
		{"proxy", node("proxy: 'user:hunter2@proxy'"), `:3: source "films", node https://a.example/: proxy is no URL of a proxy`},
		{"s3 key and file", "sources:\n- {name: films, nodes: [{url: 's3://bucket'}], s3: {secret_key: hunter2, secret_key_file: x}}\n", `:2: source "films", node s3://bucket: secret_key and secret_key_file`},
		{"node that is not there", "sources:\n- {name: films, nodes: [{url: gone}]}\n", `:2: open gone: there is no such file`},
		{"too large", "# " + strings.Repeat("x", maxConfigBytes), `: the file is over 1.00 MiB`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := writeFile(t, "zipreel.yaml", tt.file)
			file, err := readConfig(path, configKeys(newParser().Model.Node))
			if err == nil {
				_, err = file.targets()
			}
			if err == nil || !strings.HasPrefix(err.Error(), path+tt.want) {
				t.Fatalf("error %v, want one that starts with %q", err, path+tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error holds a secret: %v", err)
			}
			if exitCode(err) != exitUsage {
				t.Errorf("exit code %d, want 2: %v", exitCode(err), err)
			}
		})
	}
}

func TestConfigFileMissing(t *testing.T) {
	_, err := newParser().Parse([]string{"serve", "--config", filepath.Join(t.TempDir(), "gone.yaml")})
	if err = explainUsage(err); exitCode(err) != exitFailed || !strings.Contains(err.Error(), "gone.yaml: there is no such file") {
		t.Errorf("error %v (exit code %d), want one that there is no such file, and 1", err, exitCode(err))
	}
}

// TestEmptyConfig holds that a file of comments alone is fine.
func TestEmptyConfig(t *testing.T) {
	for _, content := range []string{"", "# nothing\n", "---\n"} {
		file, err := parseConfig("zipreel.yaml", []byte(content), nil)
		if err != nil || len(file.sources) != 0 || len(file.settings) != 0 {
			t.Errorf("parseConfig(%q) = %+v, %v", content, file, err)
		}
	}
}

// TestExampleConfig holds that the example shows every key, with the default where there is one.
func TestExampleConfig(t *testing.T) {
	const path = "../../docs/zipreel.example.yaml"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	keys := configKeys(newParser().Model.Node)
	file, err := parseConfig(path, data, keys)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := file.targets()
	if err != nil {
		t.Fatal(err)
	}
	places, err := groupTargets(targets)
	if err != nil || len(places) != len(file.sources) || len(places) == 0 {
		t.Errorf("the example's sources: %d of %d, %v", len(places), len(file.sources), err)
	}
	for _, p := range places {
		p.targets[0] = storageFlags{}.complete(p.targets[0])
		s, err := p.source()
		if err != nil {
			t.Fatal(err)
		}
		s.Origin.(io.Closer).Close()
	}
	for _, key := range sourceKeys() {
		if !regexp.MustCompile(`\b` + key + `:`).Match(data) {
			t.Errorf("the example does not show %s", key)
		}
	}
	for key, flag := range keys {
		got, shown := file.settings[key]
		switch {
		case !shown:
			t.Errorf("the example does not show %s", key)
		case flag.Default != "" && got.value != any(flag.Default):
			t.Errorf("the example shows %s: %v, the default is %s", key, got.value, flag.Default)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, s := range []string{
		"listen: :1\n", "sources: [{name: a, nodes: [{url: .}]}]\n", "a: &x [*x]\n", "host: [a, [b]]\n", "sources:\n- *a\n", "? a\n: b\n",
		"<<: {listen: x}\n", "sources: &s [{name: a}]\nhost: *s\n", "!!binary x: y", "sources: ~\n", "memory: !!int 5",
	} {
		f.Add([]byte(s))
	}
	keys := configKeys(newParser().Model.Node)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parseConfig("zipreel.yaml", data, keys)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "zipreel.yaml:") {
				t.Errorf("error %q does not name the file", err)
			}
			return
		}
		for key := range file.settings {
			if keys[key] == nil {
				t.Errorf("the unknown key %q was taken", key)
			}
		}
	})
}

func TestCacheFlagsReachTheGateway(t *testing.T) {
	var c cli
	parser := kong.Must(&c, kong.Vars{"listen": defaultListen})
	args := "serve --memory=1MiB --index-memory=2MiB --inflight=3MiB --prefetch=7MiB --max-directory=4MiB --max-entries=5 --revalidate=6s --cache-control-segments=s --cache-control-playlists=p"
	if _, err := parser.Parse(strings.Fields(args)); err != nil {
		t.Fatal(err)
	}
	got := c.Serve.Cache.config(nil)
	if got.Memory != 1<<20 || got.IndexMemory != 2<<20 || got.Inflight != 3<<20 || got.Prefetch != 7<<20 || got.MaxDirectory != 4<<20 || got.MaxEntries != 5 ||
		got.Revalidate != 6*time.Second || got.CacheSegments != "s" || got.CachePlaylists != "p" || got.Page == nil {
		t.Errorf("%s gives the gateway %+v", args, got)
	}
}
