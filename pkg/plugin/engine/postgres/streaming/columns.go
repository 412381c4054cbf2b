package streaming

import (
	"fmt"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// columns are those that only this engine has; wide are shown with -o wide.
var (
	columns = printers.Columns[dbtopology.Row]{
		printers.Narrow("BEHIND", behind),
		printers.Narrow("TIMELINE", ofServer(func(p *v1alpha1.PostgresServer) string { return number(p.Timeline) })),
		printers.Narrow("SLOT", ofChannel(func(c *v1alpha1.PostgresChannel) string { return c.Slot })).GivesWay(1),
		printers.Narrow("WALHELD", ofChannel(func(c *v1alpha1.PostgresChannel) string {
			if c.HeldBytes == nil {
				return ""
			}
			return size(*c.HeldBytes)
		})).GivesWay(1),
	}
	wide = printers.Columns[dbtopology.Row]{
		printers.Wide("SYNC", ofChannel(func(c *v1alpha1.PostgresChannel) string { return c.SyncState })),
		printers.Wide("LSN", ofServer(func(p *v1alpha1.PostgresServer) string { return p.LSN })),
		printers.Wide("RECEIVED", ofServer(func(p *v1alpha1.PostgresServer) string { return p.ReceivedLSN })),
		printers.Wide("SYSTEMID", ofServer(func(p *v1alpha1.PostgresServer) string { return p.SystemIdentifier })),
	}
)

// behind is what a standby has not replayed of what its source has written.
func behind(r dbtopology.Row) printers.Cell {
	switch {
	case r.Unknown():
		return printers.Unknown
	case r.Channel == nil || r.Server.Postgres == nil:
		return printers.None
	case r.Channel.BehindBytes == nil:
		return printers.Unknown
	}
	return printers.Text(size(*r.Channel.BehindBytes))
}

// ofServer is a column of what a server says of itself.
func ofServer(text func(*v1alpha1.PostgresServer) string) func(dbtopology.Row) printers.Cell {
	return dbtopology.Known(func(s *v1alpha1.DatabaseServer) string {
		if s.Postgres == nil {
			return ""
		}
		return text(s.Postgres)
	})
}

// ofChannel is a column of what is known of a standby's link.
func ofChannel(text func(*v1alpha1.PostgresChannel) string) func(dbtopology.Row) printers.Cell {
	return func(r dbtopology.Row) printers.Cell {
		switch {
		case r.Unknown():
			return printers.Unknown
		case r.Channel == nil || r.Channel.Postgres == nil || text(r.Channel.Postgres) == "":
			return printers.None
		}
		return printers.Text(text(r.Channel.Postgres))
	}
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
