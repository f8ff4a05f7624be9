package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

const maxConfigBytes = 1 << 20

// configFlag is the flag that names the configuration file, for embedding. The file is read before the other flags
// get their values, which come from the first of: command line, environment, file, default.
type configFlag struct {
	Config string `placeholder:"FILE" help:"Configuration file; docs/zipreel.example.yaml shows all it can say."`

	file configFile
}

// configFile is what a configuration file says.
type configFile struct {
	path     string
	sources  []sourceConfig
	settings map[string]setting // by key
}

// setting is the value of one key, the same as that of the flag of this name.
type setting struct {
	value any // string or []any of strings, as the parser takes it
	line  int
}

// BeforeResolve is called by the parser when it knows the command and not yet its flags' values.
func (c *configFlag) BeforeResolve(ctx *kong.Context) error {
	flags := ctx.Selected().Flags
	i := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == "config" })
	path, _ := ctx.FlagValue(flags[i]).(string)
	if path == "" {
		return nil
	}
	file, err := readConfig(path, configKeys(ctx.Model.Node))
	if err != nil {
		return err
	}
	c.file = *file
	ctx.AddResolver(kong.ResolverFunc(c.file.resolve))
	return nil
}

// configKeys answers the flags that are keys of the file, by key: those of serve, but for the two that are about the
// file itself.
func configKeys(app *kong.Node) map[string]*kong.Flag {
	keys := map[string]*kong.Flag{}
	for _, command := range app.Children {
		if command.Name != "serve" {
			continue
		}
		for _, f := range command.Flags {
			if f.Name != "config" && f.Name != "check" {
				keys[configKey(f)] = f
			}
		}
	}
	return keys
}

func configKey(f *kong.Flag) string { return strings.ReplaceAll(f.Name, "-", "_") }

// resolve is the kong.Resolver. The environment goes before the file.
func (c *configFile) resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	return c.settings[configKey(flag)].value, nil
}

// readConfig reads a file and checks all of it. keys are the flags whose values may stand in it.
func readConfig(path string, keys map[string]*kong.Flag) (*configFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &configReadError{fileError("read configuration", path, err)}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err != nil {
		return nil, &configReadError{fileError("read configuration", path, err)}
	}
	if len(data) > maxConfigBytes {
		return nil, usagef("%s: the file is over %s, too large for a configuration", path, formatBytes(maxConfigBytes))
	}
	return parseConfig(path, data, keys)
}

// configReadError is a file that cannot be read, whatever stands in it.
type configReadError struct{ error }

func parseConfig(path string, data []byte, keys map[string]*kong.Flag) (*configFile, error) {
	c := &configFile{path: path, settings: map[string]setting{}}
	var typed struct {
		Sources  []sourceConfig       `yaml:"sources"`
		Settings map[string]yaml.Node `yaml:",inline"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&typed); err != nil && !errors.Is(err, io.EOF) {
		return nil, c.yamlError(err)
	}
	var doc yaml.Node // the same again, with the lines of keys
	if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) == 0 {
		return c, err
	}
	c.sources = typed.Sources
	top := doc.Content[0].Content
	for i := 0; i+1 < len(top); i += 2 {
		key, value := top[i], top[i+1]
		if key.Value == "sources" {
			c.setLines(value)
			continue
		}
		if err := c.set(key, value, keys); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// setLines notes where each source stands.
func (c *configFile) setLines(list *yaml.Node) {
	if list.Kind == yaml.AliasNode {
		list = list.Alias
	}
	for i, item := range list.Content[:min(len(list.Content), len(c.sources))] {
		c.sources[i].line = item.Line
	}
}

// set checks one key and its value as the flag's own would be.
func (c *configFile) set(key, value *yaml.Node, keys map[string]*kong.Flag) error {
	flag, known := keys[key.Value]
	if !known {
		names := []string{"sources"}
		for k := range keys {
			names = append(names, k)
		}
		slices.Sort(names)
		return c.errorf(key.Line, "unknown key %q%s", key.Value, didYouMean(nearest(key.Value, names)))
	}
	v, ok := plain(value)
	if !ok {
		return c.errorf(key.Line, "%s: expected %s", key.Value, expected(flag))
	}
	items, isList := v.([]any)
	if isList && !flag.IsSlice() {
		return c.errorf(key.Line, "%s: expected %s, not a list", key.Value, expected(flag))
	}
	if !isList {
		items = []any{v}
	}
	for _, item := range items {
		scan := kong.Scan().PushTyped(item, kong.FlagValueToken)
		target := reflect.New(flag.Target.Type()).Elem()
		if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, target); err != nil {
			return c.errorf(key.Line, "%s: %v", key.Value, err)
		}
	}
	c.settings[key.Value] = setting{v, key.Line}
	return nil
}

// expected says what a flag's key takes.
func expected(flag *kong.Flag) string {
	if flag.IsSlice() {
		return "one value or a list of them"
	}
	return "one value"
}

// plain answers a scalar as a string, a list of scalars as a list of strings. ok is false for anything else, and for
// a key without a value.
func plain(n *yaml.Node) (v any, ok bool) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		return n.Value, true
	case n.Kind != yaml.SequenceNode:
		return nil, false
	}
	list := []any{}
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return nil, false
		}
		list = append(list, item.Value)
	}
	return list, true
}

func (c *configFile) errorf(line int, format string, args ...any) error {
	return usagef("%s:%d: %s", c.path, line, fmt.Sprintf(format, args...))
}

// yamlError puts the decoder's first complaint in zipreel's words.
func (c *configFile) yamlError(err error) error {
	msg := err.Error()
	var list *yaml.TypeError
	if errors.As(err, &list) {
		msg = list.Errors[0]
	}
	msg = strings.TrimPrefix(msg, "yaml: ")
	where := c.path
	if rest, ok := strings.CutPrefix(msg, "line "); ok {
		var line string
		line, msg, _ = strings.Cut(rest, ": ")
		where += ":" + line
	}
	if key, ok := strings.CutPrefix(msg, "field "); ok {
		key, _, _ = strings.Cut(key, " ")
		msg = fmt.Sprintf("unknown key %q in a source%s", key, didYouMean(nearest(key, sourceKeys())))
	}
	if _, into, ok := strings.Cut(msg, " into "); ok && strings.HasPrefix(msg, "cannot unmarshal") { // a Go type
		msg = "a list is wanted here"
		if !strings.HasPrefix(into, "[]") {
			msg = "another kind of value is wanted here; docs/zipreel.example.yaml shows it"
		}
	}
	return usagef("%s: %s", where, msg)
}
