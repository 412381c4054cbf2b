package replication

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
)

var (
	attempts = regexp.MustCompile(`attempt (\d+)/(\d+)`)
	purged   = regexp.MustCompile(`(?i)purged|could not find first log|could not find gtid`)
	// notInBinlog is how MariaDB refuses a replica that has what the source has not.
	notInBinlog = regexp.MustCompile(`(?i)not in the (master|source)'s binlog`)
)

// Numbers of errors of receivers.
const (
	errSourceFatal       = 1236  // the source refused to send its log
	errSourceFatalNew    = 13114 // the same from 8.0 on
	firstClientError     = 2000  // can't connect, lost connection
	lastClientError      = 2999
	firstAuthError       = 2058 // the plugin of the account can't be used
	lastAuthError        = 2061
	errAccountsExhausted = 1040
)

var (
	failedTransaction = regexp.MustCompile(`transaction '([^']+)'`)
	failedTable       = regexp.MustCompile(`on table ([^;]+);`)
	failedCause       = regexp.MustCompile(`(?:on table [^;]+|Error); (.+?), Error_code: \d+`)
	failedStatement   = regexp.MustCompile(`Error '(.+)' on query\. Default database: '[^']*'\. Query: '(?:.*)(?i:identified|password)`)
	longAdvice        = regexp.MustCompile(`(?s) The possible reasons are: .*`)
)

// applierError is a worker's error without what is there for its developers: 1062 at UUID:11, table app.t: Duplicate entry …
func applierError(e *v1alpha1.DatabaseError) string {
	cause := failedCause.FindStringSubmatch(e.Message)
	if cause == nil { // a statement about accounts has passwords, or their hashes
		cause = failedStatement.FindStringSubmatch(e.Message)
	}
	if cause == nil {
		return fmt.Sprintf("%d: %s", e.Number, longAdvice.ReplaceAllString(e.Message, ""))
	}
	text := strconv.FormatInt(e.Number, 10)
	if m := failedTransaction.FindStringSubmatch(e.Message); m != nil {
		text += " at " + m[1]
	}
	if m := failedTable.FindStringSubmatch(e.Message); m != nil {
		text += ", table " + m[1]
	}
	return text + ": " + cause[1]
}

var connectCause = regexp.MustCompile(`(?i)message: (.+)$`)

// receiverError is a receiver's error without what it says about its account and its patience.
func receiverError(e *v1alpha1.DatabaseError) string {
	text := e.Message
	if m := connectCause.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	text = fmt.Sprintf("%d: %s", e.Number, text)
	if m := attempts.FindString(e.Message); m != "" && !strings.Contains(text, m) {
		text += " (" + m + ")"
	}
	return text
}

// isFatal reports whether a source refused to send its log.
func isFatal(e *v1alpha1.DatabaseError) bool { return slices.Contains(fatalErrors, e.Number) }

// refused reports whether a receiver's error is that of a source that was reached and did not let it in. Clients have errors of their own, of
// which those about authentication come after an answer.
func refused(e *v1alpha1.DatabaseError) bool {
	return e.Number < firstClientError || e.Number > lastClientError || e.Number >= firstAuthError && e.Number <= lastAuthError
}

// gaveUp reports whether a stopped receiver's error is one of connecting: it has used up its attempts.
func gaveUp(e *v1alpha1.DatabaseError) bool {
	if m := attempts.FindStringSubmatch(e.Message); m != nil {
		return m[1] == m[2]
	}
	return e.Number >= firstClientError && e.Number <= lastClientError || e.Number == mysql.ErrAccessDenied || e.Number == errAccountsExhausted
}
