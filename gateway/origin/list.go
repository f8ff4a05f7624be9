package origin

import "context"

// ListedNodes is Nodes some of which can name the archives.
type ListedNodes struct {
	*Nodes
	Listers []Lister // of the nodes that can, in the order they are asked
}

// List implements Lister. The first node that answers is believed.
func (l ListedNodes) List(ctx context.Context, after string, max int) ([]Object, error) {
	var err error
	for _, node := range l.Listers {
		var list []Object
		if list, err = node.List(ctx, after, max); err == nil || ctx.Err() != nil {
			return list, err
		}
	}
	return nil, err
}
