// licenses writes the file THIRD_PARTY_LICENSES of the release archives: what is linked into the plugin on any platform of a
// release, and under what licences. It fails if a licence is unknown or not permitted.
package main

import (
	"fmt"
	"os"
)

func main() {
	components, err := find("./cmd/kubectl-doik", platforms)
	if err == nil {
		err = write(os.Stdout, components)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}
