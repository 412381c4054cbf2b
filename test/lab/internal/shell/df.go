package shell

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// FileSystem is one mounted file system, in bytes.
type FileSystem struct {
	Device, MountPoint        string
	Capacity, Used, Available uint64
	Inodes, InodesUsed        uint64
	Options                   string // of mount; empty for the usual ones
}

// Mounts are file systems as /proc/mounts lists them.
func Mounts(systems []FileSystem) string {
	var b strings.Builder
	for _, s := range systems {
		options := s.Options
		if options == "" {
			options = "rw,relatime"
		}
		kind := "ext4"
		if s.Device == "tmpfs" || s.Device == "overlay" {
			kind = s.Device
		}
		fmt.Fprintf(&b, "%s %s %s %s 0 0\n", s.Device, strings.ReplaceAll(s.MountPoint, " ", `\040`), kind, options)
	}
	return b.String()
}

// dfOptions are the options of df that the lab knows.
type dfOptions struct {
	posix  bool
	inodes bool
	human  bool
	unit   uint64
	header string // of the column of sizes
}

// df prints the table of GNU coreutils' df.
func df(_ context.Context, c Container, args []string, s Streams) int {
	options, paths, err := parseDF(args)
	if err != nil {
		fmt.Fprintf(s.Err, "df: %v\nTry 'df --help' for more information.\n", err)
		return exitFailure
	}
	code := exitOK
	systems := c.FileSystems
	if len(paths) > 0 {
		systems = nil
		for _, p := range paths {
			system, ok := c.fileSystemOf(p)
			if !ok {
				fmt.Fprintf(s.Err, "df: %s: No such file or directory\n", p)
				code = exitFailure
				continue
			}
			systems = append(systems, system)
		}
	}
	if len(systems) > 0 {
		fmt.Fprint(s.Out, dfTable(systems, options))
	}
	return code
}

func parseDF(args []string) (dfOptions, []string, error) {
	options := dfOptions{unit: 1024}
	var paths []string
	blockSize := ""
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return options.withHeader(blockSize), append(paths, args[i+1:]...), nil
		case arg == "--portability":
			options.posix = true
		case arg == "--inodes":
			options.inodes = true
		case strings.HasPrefix(arg, "--block-size="):
			blockSize = strings.TrimPrefix(arg, "--block-size=")
		case strings.HasPrefix(arg, "--"):
			return options, nil, fmt.Errorf("unrecognized option '%s'", arg)
		case !strings.HasPrefix(arg, "-") || arg == "-":
			paths = append(paths, arg)
		default:
			for letters := arg[1:]; letters != ""; letters = letters[1:] {
				switch letters[0] {
				case 'P':
					options.posix = true
				case 'i':
					options.inodes = true
				case 'h':
					options.human = true
				case 'k':
					blockSize = "1K"
				case 'm':
					blockSize = "1M"
				case 'a', 'l': // all and local: nothing is left out here anyway
				case 'B':
					blockSize = letters[1:]
					if blockSize == "" && i+1 < len(args) {
						i++
						blockSize = args[i]
					}
					letters = "B"
				default:
					return options, nil, fmt.Errorf("invalid option -- '%c'", letters[0])
				}
			}
		}
		if blockSize != "" {
			unit, err := parseBlockSize(blockSize)
			if err != nil {
				return options, nil, err
			}
			options.unit, options.human = unit, false
		}
	}
	return options.withHeader(blockSize), paths, nil
}

func parseBlockSize(s string) (uint64, error) {
	number := strings.TrimRight(s, "KMGTB")
	n := uint64(1)
	if number != "" {
		var err error
		if n, err = strconv.ParseUint(number, 10, 32); err != nil || n == 0 {
			return 0, fmt.Errorf("invalid --block-size argument '%s'", s)
		}
	}
	shift, ok := map[string]int{"": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40}[s[len(number):]]
	if !ok {
		return 0, fmt.Errorf("invalid --block-size argument '%s'", s)
	}
	return n << shift, nil
}

// withHeader words the heading of the sizes as df does: the unit in bytes under -P, abbreviated otherwise.
func (o dfOptions) withHeader(blockSize string) dfOptions {
	switch {
	case o.human:
		o.header = "Size"
	case o.posix:
		o.header = fmt.Sprintf("%d-blocks", o.unit)
	case o.unit == 1:
		o.header = "1B-blocks"
	case blockSize == "":
		o.header = "1K-blocks"
	default:
		o.header = blockSize + "-blocks"
		if c := blockSize[0]; c < '0' || c > '9' {
			o.header = "1" + o.header
		}
	}
	return o
}

// fileSystemOf finds the file system a path lies on. There are no files to look at, so a path exists if it leads to a
// mount point or is one of the folders every image has.
func (c Container) fileSystemOf(name string) (FileSystem, bool) {
	name = path.Clean("/" + name)
	exists := isUsualFolder(name)
	if _, ok := c.Files[name]; ok {
		exists = true
	}
	var found FileSystem
	for _, system := range c.FileSystems {
		if within(name, system.MountPoint) && len(system.MountPoint) >= len(found.MountPoint) {
			found = system
		}
		exists = exists || within(system.MountPoint, name)
	}
	return found, exists && found.MountPoint != ""
}

func isUsualFolder(name string) bool {
	switch name {
	case "/", "/bin", "/dev", "/etc", "/home", "/opt", "/proc", "/root", "/run", "/sys", "/tmp", "/usr", "/var", "/var/lib", "/var/log":
		return true
	}
	return false
}

// within reports whether a path is a folder or lies below it.
func within(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, strings.TrimSuffix(folder, "/")+"/")
}

func dfTable(systems []FileSystem, o dfOptions) string {
	rows := [][]string{{"Filesystem", o.header, "Used", "Available", "Use%", "Mounted on"}}
	switch {
	case o.inodes:
		rows[0] = []string{"Filesystem", "Inodes", "IUsed", "IFree", "IUse%", "Mounted on"}
	case o.posix:
		rows[0][4] = "Capacity"
	case o.human:
		rows[0][3] = "Avail"
	}
	for _, fs := range systems {
		total, used, free := fs.Capacity, fs.Used, fs.Available
		show := func(n uint64) string { return strconv.FormatUint(divideUp(n, o.unit), 10) }
		if o.inodes {
			total, used, free = fs.Inodes, fs.InodesUsed, fs.Inodes-min(fs.Inodes, fs.InodesUsed)
			show = func(n uint64) string { return strconv.FormatUint(n, 10) }
		}
		if o.human {
			show = humanSize
		}
		rows = append(rows, []string{fs.Device, show(total), show(used), show(free), percentage(used, free), fs.MountPoint})
	}
	return align(rows)
}

// percentage is df's own: what is used of what is used or available, rounded up, and nothing where there is nothing.
func percentage(used, available uint64) string {
	if used+available == 0 {
		return "-"
	}
	// Halved while the multiplication would overflow: an elastic file system has 8 EiB.
	for used > 1<<57 || available > 1<<57 {
		used, available = used/2, available/2
	}
	return fmt.Sprintf("%d%%", divideUp(used*100, used+available))
}

func divideUp(n, unit uint64) uint64 {
	quotient := n / unit
	if n%unit != 0 {
		quotient++
	}
	return quotient
}

// humanSize rounds up to one digit after the point below 10, to none above, as df -h does.
func humanSize(n uint64) string {
	if n < 1024 {
		return strconv.FormatUint(n, 10)
	}
	unit, letters := uint64(1024), "KMGTPE"
	for n/unit >= 1024 && len(letters) > 1 {
		unit, letters = unit*1024, letters[1:]
	}
	if n/unit < 10 {
		// Tenths are counted in a smaller unit, so that ten times an exbibyte doesn't overflow.
		if tenths := divideUp(divideUp(n, unit/1024)*10, 1024); tenths < 100 {
			return fmt.Sprintf("%d.%d%c", tenths/10, tenths%10, letters[0])
		}
	}
	return fmt.Sprintf("%d%c", divideUp(n, unit), letters[0])
}

// align lays the rows out: names on the left, numbers on the right.
func align(rows [][]string) string {
	const first = 14 // df's smallest width of the first column
	widths := []int{first, 5, 5, 5, 4}
	for _, row := range rows {
		for i := range widths {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	var text strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			switch i {
			case 0:
				fmt.Fprintf(&text, "%-*s", widths[0], cell)
			case len(row) - 1:
				text.WriteString(" " + cell)
			default:
				fmt.Fprintf(&text, " %*s", widths[i], cell)
			}
		}
		text.WriteString("\n")
	}
	return text.String()
}
