package main

import (
	"cmp"
	"io"
	"os"

	"zipreel/gateway/origin"
)

// storageFlags say how storage is reached that a TARGET does not name in full.
type storageFlags struct {
	IPFSGateway []string `name:"ipfs-gateway" group:"Storage:" default:"http://127.0.0.1:8081" placeholder:"URL" help:"Gateway that ipfs: URLs are read from; several are nodes of one source (default ${default})."`
}

// complete gives a target what the flags say. A gateway that they name may be on this machine.
func (f storageFlags) complete(t target) target {
	if t.url != nil && t.url.Scheme == "ipfs" && len(t.spec.gateways) == 0 {
		t.spec.gateways, t.allowPrivate = f.IPFSGateway, true
	}
	return t
}

// nodeSpec is how the storage node of a URL is asked.
type nodeSpec struct {
	http     origin.HTTPConfig // but for what the URL itself says
	s3       origin.S3Config   // of s3: URLs; but for http
	gateways []string          // of ipfs: URLs
}

// nodes are the storage nodes of a URL: one, or one for each gateway. listers are those that can name archives. name is the
// archive's where the URL is one archive's own.
func (t target) nodes(name string) (nodes []origin.Node, listers []origin.Lister, err error) {
	cfg := t.spec.http
	cfg.AllowPrivate = t.allowPrivate
	if t.single() {
		cfg.Name = name
	}
	switch t.url.Scheme {
	case "s3":
		s3 := t.spec.s3
		s3.HTTP = cfg
		s3.Endpoint = cmp.Or(s3.Endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"))
		s3.Region = cmp.Or(s3.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
		o, err := origin.NewS3(s3)
		if err != nil {
			return nil, nil, usagef("%s: %v", t.written, err)
		}
		return []origin.Node{{Name: o.Node(), Origin: o}}, []origin.Lister{o}, nil
	case "ipfs":
		for _, gateway := range t.spec.gateways {
			base, err := origin.IPFSBase(gateway, t.url.Host, t.url.Path)
			if err != nil {
				closeNodes(nodes)
				return nil, nil, usagef("%s: %v", t.written, err)
			}
			cfg.Base = base
			if nodes, err = addHTTP(nodes, cfg); err != nil {
				return nil, nil, usagef("%s: %v", t.written, err)
			}
		}
		return nodes, nil, nil
	}
	cfg.Base = t.base
	if nodes, err = addHTTP(nil, cfg); err != nil {
		return nil, nil, usagef("%s: %v", t.written, err)
	}
	return nodes, nil, nil
}

// addHTTP opens one node more. When it cannot, those before are closed.
func addHTTP(nodes []origin.Node, cfg origin.HTTPConfig) ([]origin.Node, error) {
	o, err := origin.NewHTTP(cfg)
	if err != nil {
		closeNodes(nodes)
		return nil, err
	}
	return append(nodes, origin.Node{Name: o.Node(), Origin: o}), nil
}

func closeNodes(nodes []origin.Node) {
	for _, n := range nodes {
		if c, ok := n.Origin.(io.Closer); ok {
			c.Close()
		}
	}
}

// storage is what reads from storage nodes, and lets go of them.
type storage interface {
	origin.Origin
	io.Closer
}

// openNodes opens targets that are nodes of one source.
func openNodes(targets []target) (storage, error) {
	var nodes []origin.Node
	var listers []origin.Lister
	taken := map[string]bool{}
	for _, t := range targets {
		more, l, err := t.nodes(targets[0].archive())
		if err != nil {
			closeNodes(nodes)
			return nil, err
		}
		for i := range more {
			if taken[more[i].Name] { // two places on one host
				more[i].Name = t.written
			}
			taken[more[i].Name] = true
		}
		nodes, listers = append(nodes, more...), append(listers, l...)
	}
	s, err := origin.NewNodes(nodes)
	if err != nil {
		closeNodes(nodes)
		return nil, err
	}
	if len(listers) > 0 && !targets[0].single() {
		return origin.ListedNodes{Nodes: s, Listers: listers}, nil
	}
	return s, nil
}

// addNode makes a target one more node of the source that the place is.
func (p *place) addNode(t target) error {
	first := p.targets[0]
	for _, t := range []target{first, t} {
		if t.url == nil {
			return usagef("source %q has several nodes: they must be URLs that hold the same archives, and %s is none; use two names", p.name, t.written)
		}
	}
	if first.kind != t.kind {
		one, many := first, t
		if !one.single() {
			one, many = many, one
		}
		return usagef("source %q: its nodes must hold the same archives, and %s is one archive while %s is a prefix for many", p.name, one.written, many.written)
	}
	for _, other := range p.targets {
		if other.base == t.base && other.spec.s3.Endpoint == t.spec.s3.Endpoint {
			return usagef("source %q has the node %s twice; leave one out", p.name, t.written)
		}
	}
	if len(p.targets) >= origin.MaxNodes {
		return usagef("source %q has more than %d nodes", p.name, origin.MaxNodes)
	}
	p.targets = append(p.targets, t)
	return nil
}

// immutable says whether the archives never change under their names, whichever node they are read from.
func (p place) immutable() bool {
	for _, t := range p.targets {
		if !t.immutable {
			return false
		}
	}
	return true
}
