package dbserver

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Flags are the flags of logging in, which all subcommands for databases share.
type Flags struct {
	via          string
	user         string
	passwordFrom string
	sslMode      string
	sslCA        string
	sendToAll    bool
	timeout      time.Duration
}

const defaultServerTimeout = 10 * time.Second

// NewFlags returns the flags with their defaults.
func NewFlags() *Flags {
	return &Flags{via: string(ViaAuto), sslMode: string(TLSPreferred), timeout: defaultServerTimeout}
}

var (
	ways     = []string{string(ViaAuto), string(ViaPortForward), string(ViaExec)}
	tlsModes = []string{string(TLSPreferred), string(TLSDisabled), string(TLSRequired), string(TLSVerifyCA)}
)

// AddFlags adds them to a subcommand.
func (f *Flags) AddFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.via, "via", f.via, "How to reach the servers. One of: ("+strings.Join(ways, ", ")+"). port-forward connects to the pods' port; exec runs the client in their containers, with the password found there; auto uses whatever works, and reads a Secret only if nothing else does.")
	// kubectl's flag of this name chooses a user of the kubeconfig; here it is the server's, as in all of MySQL's clients.
	cmd.Flags().StringVar(&f.user, "user", "", "The account to log in to the servers with; by default the one that the operator, chart or image created.")
	cmd.Flags().StringVar(&f.passwordFrom, "password-from", "", "Where to find the password of --user: "+passwordForms+". A password from a Secret is sent only to pods of its namespace; any other is sent, over TLS, only to servers of sets named on the command line or whose certificate --ssl-ca verifies.")
	cmd.Flags().BoolVar(&f.sendToAll, "send-password-to-all", false, "Also send the password of --user to servers found by -A, -l or a bare namespace. Anyone who may create pods there can create one that looks like a database and collect the password.")
	cmd.Flags().StringVar(&f.sslMode, "ssl-mode", f.sslMode, "Encryption inside a port-forward. One of: ("+strings.Join(tlsModes, ", ")+"). With a password of your own, PREFERRED means REQUIRED.")
	cmd.Flags().StringVar(&f.sslCA, "ssl-ca", "", "File with the CA certificates that VERIFY_CA trusts. Host names are not verified, so the CA should sign certificates for these servers only.")
	cmd.Flags().DurationVar(&f.timeout, "server-timeout", f.timeout, "Timeout for logging in to and querying each database server.")
	_ = cmd.RegisterFlagCompletionFunc("via", cobra.FixedCompletions(ways, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("user", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("password-from", cobra.FixedCompletions([]string{"secret/", "file:", "env:", "prompt"}, cobra.ShellCompDirectiveNoSpace|cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("ssl-mode", cobra.FixedCompletions(tlsModes, cobra.ShellCompDirectiveNoFileComp))
}

// ToAccess checks the flags. It reads files and sends nothing.
func (f *Flags) ToAccess() (Access, error) {
	a := Access{Via: Via(f.via), User: f.user, TLS: TLS{Mode: TLSMode(strings.ToUpper(f.sslMode))}, SendToAll: f.sendToAll, ServerTimeout: f.timeout}
	var err error
	switch {
	case !slices.Contains(ways, f.via):
		return a, fmt.Errorf("invalid --via %q: must be one of %s", f.via, strings.Join(ways, ", "))
	case !slices.Contains(tlsModes, string(a.TLS.Mode)):
		return a, fmt.Errorf("invalid --ssl-mode %q: must be one of %s", f.sslMode, strings.Join(tlsModes, ", "))
	case f.passwordFrom != "" && f.user == "":
		return a, errors.New("--password-from needs --user")
	case (a.TLS.Mode == TLSVerifyCA) != (f.sslCA != ""):
		return a, errors.New("--ssl-mode=VERIFY_CA and --ssl-ca must be used together")
	case f.timeout <= 0:
		return a, fmt.Errorf("invalid --server-timeout %q: must be positive", f.timeout)
	}
	if a.PasswordFrom, err = ParsePasswordSource(f.passwordFrom); err != nil {
		return a, err
	}
	switch {
	case f.sendToAll && !a.PasswordFrom.IsOwn():
		return a, errors.New("--send-password-to-all requires a password of your own: --password-from=file:PATH, env:NAME or prompt")
	case a.PasswordFrom.IsOwn() && a.TLS.Mode == TLSDisabled && a.Via != ViaExec:
		return a, errors.New("--ssl-mode=DISABLED would send the password of --user in clear text: omit it, or use --via=exec")
	}
	if f.sslCA != "" {
		if a.TLS.CA, err = os.ReadFile(f.sslCA); err != nil {
			return a, fmt.Errorf("--ssl-ca: %w", err)
		}
	}
	return a, nil
}
