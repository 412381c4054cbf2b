package mysql

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// login is one way in. In the container the client takes the password from where it is already; through the network it comes from
// what the pod's specification says, or from a Secret.
type login struct {
	user string
	// passwordEnv are variables of the container, the first that is set counts; NAME_FILE names a file. Where the container has
	// none of them there is no password.
	passwordEnv []string
	// passwordFile and optionFile are files in the container.
	passwordFile, optionFile string
	socket                   string
	// socketOnly is an account that comes in through the socket alone.
	socketOnly bool
	// secret has the same password at key; {label} stands for the pod's label.
	secret, key string
}

// Credentials are an account's name and where its password is.
type Credentials struct {
	User string
	// Password is for an account whose password is known: given by the user, or in the pod's specification.
	Password string
	// Secret and Key name where the password is to be read, in the pod's namespace.
	Secret, Key string
}

// clientScript runs the client that the container has, on the statements that follow on stdin. Its arguments are the client's
// options; DOIK_SECONDS bounds its time where the container has timeout(1), so that a hung server leaves no client behind.
const clientScript = `for c in mariadb mysql; do
  if command -v $c >/dev/null; then
    if command -v timeout >/dev/null; then exec timeout "$DOIK_SECONDS" $c "$@"; fi
    exec $c "$@"
  fi
done
echo 'ERROR 2 (HY000): there is no mysql or mariadb client in the container' >&2; exit 127`

// clientOptions make the client's output the same everywhere. Options files of the container stay in force: they have the socket.
func clientOptions(stopAtError bool) []string {
	o := []string{"--batch", "--xml", "--default-character-set=utf8mb4", "--connect-timeout=5"}
	if !stopAtError {
		o = append(o, "--force")
	}
	return o
}

// command is what runs the client in the container: sh, a script that puts the password into the client's environment, the
// client's options. Nothing in it is secret.
func (l login) command(seconds int, stopAtError bool) []string {
	script := fmt.Sprintf("DOIK_SECONDS=%d\n", seconds)
	options := clientOptions(stopAtError)
	if l.user != "" && l.optionFile == "" {
		options = append(options, "--user="+l.user)
	}
	if l.socket != "" {
		options = append(options, "--socket="+l.socket)
	}
	switch {
	case l.optionFile != "": // it must be the first option
		options = append([]string{"--defaults-extra-file=" + l.optionFile}, options...)
	default:
		script += l.passwordScript()
	}
	return append([]string{"sh", "-c", script + clientScript, "sh"}, options...)
}

// passwordScript puts the password that the container has into the client's environment.
func (l login) passwordScript() string {
	switch {
	case l.passwordFile != "":
		return "MYSQL_PWD=$(cat '" + l.passwordFile + "') || exit\nexport MYSQL_PWD\n"
	case len(l.passwordEnv) > 0:
		script := "MYSQL_PWD=\n"
		for _, name := range l.passwordEnv {
			script += fmt.Sprintf("[ -n \"$MYSQL_PWD\" ] || MYSQL_PWD=$%[1]s\n[ -n \"$MYSQL_PWD\" ] || [ -z \"$%[1]s_FILE\" ] || MYSQL_PWD=$(cat \"$%[1]s_FILE\")\n", name)
		}
		return script + "export MYSQL_PWD\n"
	}
	return ""
}

// commandWithPassword is command for an account whose password is the first line of stdin.
func commandWithPassword(user string, seconds int, stopAtError bool) []string {
	script := fmt.Sprintf("DOIK_SECONDS=%d\nIFS= read -r MYSQL_PWD\nexport MYSQL_PWD\n", seconds)
	return append([]string{"sh", "-c", script + clientScript, "sh", "--user=" + user}, clientOptions(stopAtError)...)
}

// overNetwork are the credentials for a connection to the port: ok is false where there are none. They are free if no Secret has
// to be read for them.
func (l login) overNetwork(s Server) (c Credentials, free, ok bool) {
	if l.socketOnly {
		return Credentials{}, false, false
	}
	c.User = l.user
	if len(l.passwordEnv) > 0 {
		if found, none := passwordInSpec(s, l.passwordEnv, &c); found || none && l.secret == "" {
			return c, c.Secret == "", true
		}
	}
	if c.Secret, ok = expand(l.secret, s.Pod.Labels); !ok || l.user == "" {
		return Credentials{}, false, false
	}
	c.Key = l.key
	return c, false, true
}

// passwordInSpec finds where the container's specification says that a password is: in a variable, in a key of a Secret, in a file
// of a Secret's volume. none is true if the container has no such variable at all: then there is no password.
func passwordInSpec(s Server, names []string, c *Credentials) (found, none bool) {
	at := container(s.Pod, s.Container)
	if at == nil {
		return false, false
	}
	none = len(at.EnvFrom) == 0
	for _, name := range names {
		for _, env := range at.Env {
			switch {
			case env.Name != name && env.Name != name+"_FILE":
				continue
			case env.Name == name && env.ValueFrom == nil && env.Value != "" && !strings.Contains(env.Value, "$("): // which stands for another variable
				c.Password = strings.ReplaceAll(env.Value, "$$", "$") // as the kubelet does
				return true, false
			case env.Name == name && env.ValueFrom != nil && env.ValueFrom.SecretKeyRef != nil:
				c.Secret, c.Key = env.ValueFrom.SecretKeyRef.Name, env.ValueFrom.SecretKeyRef.Key
				return true, false
			case env.Name == name+"_FILE":
				if c.Secret, c.Key = secretFile(s.Pod, at, env.Value); c.Secret != "" {
					return true, false
				}
			}
			none = none && env.Name == name && env.ValueFrom == nil && env.Value == ""
		}
	}
	return false, none
}

// secretFile finds the Secret whose volume has a file.
func secretFile(pod *corev1.Pod, at *corev1.Container, file string) (secret, key string) {
	for _, mount := range at.VolumeMounts {
		if path.Dir(file) != path.Clean(mount.MountPath) && file != mount.MountPath {
			continue
		}
		i := slices.IndexFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })
		if i < 0 || pod.Spec.Volumes[i].Secret == nil {
			continue
		}
		name := path.Base(file)
		if file == mount.MountPath && mount.SubPath != "" {
			name = mount.SubPath
		}
		source := pod.Spec.Volumes[i].Secret
		for _, item := range source.Items {
			if item.Path == name {
				return source.SecretName, item.Key
			}
		}
		return source.SecretName, name
	}
	return "", ""
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// expand puts the labels' values in place of {label}; ok is false where one is missing.
func expand(template string, labels map[string]string) (text string, ok bool) {
	ok = template != ""
	text = placeholder.ReplaceAllStringFunc(template, func(p string) string {
		value := labels[strings.Trim(p, "{}")]
		ok = ok && value != ""
		return value
	})
	return text, ok
}
