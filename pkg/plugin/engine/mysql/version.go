package mysql

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// Product is a line of servers that speak the same statements.
type Product string

const (
	// MySQL is Oracle's server, and those made from it: Percona Server, Percona XtraDB Cluster, Aurora.
	MySQL Product = "MySQL"
	// MariaDB has statements, columns and GTIDs of its own.
	MariaDB Product = "MariaDB"
)

// Version is that of a server.
type Version struct {
	Product             Product
	Major, Minor, Patch int
	// Distribution is what the server calls itself beyond the product: Percona Server.
	Distribution string
}

var versionNumber = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?`)

// mariaDBPrefix stands before the version in MariaDB's handshake, for old replicas.
const mariaDBPrefix = "5.5.5-"

// ParseVersion reads @@version and @@version_comment.
func ParseVersion(version, comment string) (Version, error) {
	v := Version{Product: MySQL}
	if strings.Contains(version, "MariaDB") || strings.Contains(comment, "MariaDB") || strings.Contains(comment, "mariadb.org") {
		v.Product = MariaDB
		version = strings.TrimPrefix(version, mariaDBPrefix)
	}
	m := versionNumber.FindStringSubmatch(version)
	if m == nil {
		return Version{}, fmt.Errorf("%q is not a server version", version)
	}
	_, _ = fmt.Sscan(m[1]+" "+m[2]+" "+cmp.Or(m[3], "0"), &v.Major, &v.Minor, &v.Patch) // digits only
	for _, name := range []string{"Percona XtraDB Cluster", "Percona Server"} {
		if strings.Contains(comment, name) {
			v.Distribution = name
			break
		}
	}
	return v, nil
}

// String is the number: 8.4.2.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Compare orders the versions of one product.
func (v Version) Compare(other Version) int {
	return cmp.Or(cmp.Compare(v.Major, other.Major), cmp.Compare(v.Minor, other.Minor), cmp.Compare(v.Patch, other.Patch))
}
