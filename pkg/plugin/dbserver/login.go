package dbserver

import (
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Login is one way in. In the container the client takes the password from where it is already; through the network it comes from
// what the pod's specification says, or from a Secret.
type Login struct {
	User string
	// UserEnv is a variable of the container that names the account where it is set.
	UserEnv string
	// Container is where the client is, if that is not the server's own container.
	Container string
	// PasswordEnv are variables of the container, the first that is set counts; NAME_FILE names a file. Where the container has
	// none of them there is no password.
	PasswordEnv []string
	// PasswordFile and OptionFile are files in the container.
	PasswordFile, OptionFile string
	Socket                   string
	// SocketOnly is an account that comes in through the socket alone.
	SocketOnly bool
	// Secret has the same password at Key; {label} stands for the pod's label.
	Secret, Key string
}

// Credentials are an account's name and where its password is.
type Credentials struct {
	User string
	// Password is for an account whose password is known: given by the user, or in the pod's specification.
	Password string
	// Secret and Key name where to read the password from, in the pod's namespace.
	Secret, Key string
}

// OverNetwork are the credentials for a connection to the port: ok is false where there are none. They are free if no Secret has
// to be read for them.
func (l Login) OverNetwork(s Server) (c Credentials, free, ok bool) {
	if l.SocketOnly {
		return Credentials{}, false, false
	}
	if c.User, ok = l.userInSpec(s); !ok {
		return Credentials{}, false, false
	}
	if len(l.PasswordEnv) > 0 {
		if found, none := passwordInSpec(s, l.PasswordEnv, &c); found || none && l.Secret == "" {
			return c, c.Secret == "", true
		}
	}
	if c.Secret, ok = expand(l.Secret, s.Pod.Labels); !ok || c.User == "" {
		return Credentials{}, false, false
	}
	c.Key = l.Key
	return c, false, true
}

// userInSpec is the account, as far as the container's specification says; ok is false where that leaves it to something else.
func (l Login) userInSpec(s Server) (user string, ok bool) {
	at := containerOf(s.Pod, s.Container)
	if l.UserEnv == "" || at == nil {
		return l.User, true
	}
	for _, env := range at.Env {
		if env.Name == l.UserEnv {
			return env.Value, env.ValueFrom == nil && env.Value != "" && !strings.Contains(env.Value, "$(")
		}
	}
	return l.User, len(at.EnvFrom) == 0
}

// knownInside reports whether the container has what the client needs to log in: a password, or a socket that wants none.
func (l Login) knownInside() bool {
	return l.SocketOnly || len(l.PasswordEnv) > 0 || l.PasswordFile != "" || l.OptionFile != "" || l.Secret == ""
}

// passwordInSpec finds where the container's specification says that a password is: in a variable, in a key of a Secret, in a file
// of a Secret's volume. none is true if the container has no such variable at all: then there is no password.
func passwordInSpec(s Server, names []string, c *Credentials) (found, none bool) {
	at := containerOf(s.Pod, s.Container)
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
