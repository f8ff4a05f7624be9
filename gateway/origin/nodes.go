package origin

import (
	"context"
	"errors"
	"io"
)

// Node is one of the storage nodes that hold the same archives.
type Node struct {
	Name   string // for logs, metrics and errors: scheme and host, no credential
	Origin Origin
}

// Nodes is several storage nodes as one Origin. Safe for concurrent use.
type Nodes struct {
	nodes []Node
}

// NewNodes makes one Origin of at least one node. Close ends it.
func NewNodes(nodes []Node) (*Nodes, error) {
	if len(nodes) == 0 {
		return nil, errors.New("no node given")
	}
	return &Nodes{nodes: nodes}, nil
}

// Read implements Origin.
func (s *Nodes) Read(ctx context.Context, name string, off, n int64, want *Validator) (*Body, error) {
	return s.nodes[0].Origin.Read(ctx, name, off, n, want)
}

// Close closes the nodes.
func (s *Nodes) Close() error {
	var errs []error
	for _, n := range s.nodes {
		if c, ok := n.Origin.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
