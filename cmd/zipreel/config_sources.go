package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"zipreel/gateway/origin"
)

// sourceConfig is one of the file's sources.
type sourceConfig struct {
	Name         string       `yaml:"name"`
	Nodes        []nodeConfig `yaml:"nodes"`
	Dialect      string       `yaml:"dialect"`
	SizeURL      string       `yaml:"size_url"`
	AllowPrivate bool         `yaml:"allow_private"`
	Immutable    bool         `yaml:"immutable"`
	Gateways     []string     `yaml:"gateways"`
	S3           *s3Settings  `yaml:"s3"`

	line int
}

// s3Settings are how s3: URLs of a source are read.
type s3Settings struct {
	Endpoint     string `yaml:"endpoint"`
	Region       string `yaml:"region"`
	PathStyle    *bool  `yaml:"path_style"`
	Anonymous    bool   `yaml:"anonymous"`
	AccessKey    string `yaml:"access_key"`
	SecretKey    string `yaml:"secret_key"`
	SecretFile   string `yaml:"secret_key_file"`
	SessionToken string `yaml:"session_token"`
	Profile      string `yaml:"profile"`
}

// sourceKeys are all keys that may stand in a source.
func sourceKeys() []string {
	var keys []string
	for _, v := range []any{sourceConfig{}, nodeConfig{}, s3Settings{}} {
		for i := range reflect.TypeOf(v).NumField() {
			if key := reflect.TypeOf(v).Field(i).Tag.Get("yaml"); key != "" {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// targets answers the nodes of the file's sources. Paths in it start at its own folder.
func (c *configFile) targets() ([]target, error) {
	var list []target
	lines := map[string]int{}
	for _, s := range c.sources {
		nodes, err := c.source(s)
		if first, ok := lines[s.Name]; ok && err == nil {
			err = fmt.Errorf("source %q stands in line %d already; list all of its nodes there", s.Name, first)
		}
		if err == nil {
			_, err = groupTargets(nodes) // whether they make one source
		}
		if err != nil {
			return nil, c.errorf(s.line, "%v", err)
		}
		lines[s.Name] = s.line
		list = append(list, nodes...)
	}
	return list, nil
}

// source answers the nodes of one source.
func (c *configFile) source(s sourceConfig) ([]target, error) {
	switch {
	case s.Name == "":
		return nil, errors.New("the source has no name; give it one, as in name: films")
	case !nameRule.MatchString(s.Name):
		return nil, badName(s.Name)
	case len(s.Nodes) == 0:
		return nil, fmt.Errorf("source %q has no node; give it one, as in nodes: [{url: https://storage.example/films/}]", s.Name)
	}
	var list []target
	for _, n := range s.Nodes {
		if n.URL == "" {
			return nil, fmt.Errorf("source %q has a node without url", s.Name)
		}
		t, err := c.node(s, n)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, s.checkKinds(list)
}

// checkKinds finds settings that no node of the source heeds.
func (s sourceConfig) checkKinds(nodes []target) error {
	has := func(schemes ...string) bool {
		return slices.ContainsFunc(nodes, func(t target) bool { return t.url != nil && slices.Contains(schemes, t.url.Scheme) })
	}
	switch {
	case s.S3 != nil && !has("s3"):
		return fmt.Errorf("source %q has s3: settings and no node with an s3: URL, as in s3://bucket/films/", s.Name)
	case len(s.Gateways) > 0 && !has("ipfs"):
		return fmt.Errorf("source %q has gateways and no node with an ipfs: URL", s.Name)
	case s.Dialect == "query" && !has("http", "https"), s.SizeURL != "" && !has("http", "https"):
		return fmt.Errorf("source %q: dialect query and size_url are for nodes with http: or https: URLs", s.Name)
	}
	return nil
}

// node reads one node of a source.
func (c *configFile) node(s sourceConfig, n nodeConfig) (target, error) {
	folder := filepath.Dir(c.path)
	written := n.URL
	if err := expandAll(n.texts()); err != nil {
		return target{}, fmt.Errorf("source %q: %w", s.Name, err)
	}
	t, err := parseLocation(n.URL, folder)
	if n.URL != written { // the variables' names are shown, and not their values
		t.written = withoutSecrets(written)
		if err != nil {
			err = fmt.Errorf("source %q: %s, with its variables filled in, is neither a URL nor a path that is there", s.Name, t.written)
		}
	}
	if err != nil {
		return t, err
	}
	t.name, t.explicit, t.allowPrivate = s.Name, true, s.AllowPrivate
	t.immutable = t.immutable || s.Immutable
	if t.url == nil {
		n.URL = ""
		if !reflect.DeepEqual(n, nodeConfig{}) {
			return t, fmt.Errorf("source %q: %s is no URL; headers, credentials, certificates and proxy are for nodes with one", s.Name, t.written)
		}
		return t, nil
	}
	if t.spec.http, err = n.http(folder); err == nil {
		err = s.asked(&t, folder)
	}
	if err != nil {
		return t, fmt.Errorf("source %q, node %s: %w", s.Name, t.written, err)
	}
	return t, nil
}

// asked completes how a node is asked with what the source says for all of its nodes.
func (s sourceConfig) asked(t *target, folder string) error {
	switch s.Dialect {
	case "", "range":
	case "query":
		t.spec.http.Dialect = origin.RangeQuery
	default:
		return fmt.Errorf("dialect %q is unknown; it is range (the Range header) or query (range=OFFSET,SIZE in the URL)", s.Dialect)
	}
	var err error
	if t.spec.http.SizeURL, err = expand("size_url", s.SizeURL); err != nil {
		return err
	}
	for _, gateway := range s.Gateways {
		if gateway, err = expand("gateways", gateway); err != nil {
			return err
		}
		t.spec.gateways = append(t.spec.gateways, gateway)
	}
	if s.S3 == nil || t.url.Scheme != "s3" {
		return nil
	}
	return s.S3.complete(&t.spec.s3, folder)
}

// complete puts the settings where they are used.
func (s s3Settings) complete(cfg *origin.S3Config, folder string) (err error) {
	texts := map[string]*string{"endpoint": &s.Endpoint, "region": &s.Region, "access_key": &s.AccessKey, "secret_key": &s.SecretKey,
		"secret_key_file": &s.SecretFile, "session_token": &s.SessionToken, "profile": &s.Profile}
	if err := expandAll(texts); err != nil {
		return err
	}
	if s.SecretFile != "" && s.SecretKey != "" {
		return errors.New("secret_key and secret_key_file; choose one")
	}
	if s.SecretFile != "" {
		if s.SecretKey, err = secretFile("secret_key_file", within(folder, s.SecretFile)); err != nil {
			return err
		}
	}
	cfg.Endpoint, cfg.Region, cfg.Anonymous = s.Endpoint, s.Region, s.Anonymous
	cfg.AccessKey, cfg.SecretKey, cfg.SessionToken, cfg.Profile = s.AccessKey, s.SecretKey, s.SessionToken, s.Profile
	if s.PathStyle != nil && *s.PathStyle {
		cfg.Style = origin.S3Path
	} else if s.PathStyle != nil {
		cfg.Style = origin.S3Virtual
	}
	return nil
}
