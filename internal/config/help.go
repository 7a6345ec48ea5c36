package config

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Print writes what is in force, one option to a line, with secrets hidden and
// where each value came from.
func (c *Config) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "OPTION\tVALUE\tFROM")
	for _, o := range options(&Config{}) {
		v := c.values[o.Name]
		from := v.from
		if v.file != "" {
			from += " (" + v.file + ")"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", o.Name, o.show(v), from)
	}
	return t.Flush()
}

// show returns the value as Print shows it.
func (o Option) show(v value) string {
	switch {
	case v.text == "":
		return "(" + cmp.Or(o.Empty, "none") + ")"
	case strings.ContainsFunc(v.text, func(r rune) bool { return !strconv.IsPrint(r) }):
		return strconv.Quote(v.text)
	}
	return v.text
}

// Markdown returns the reference of all options for the documentation.
func Markdown() string {
	var b strings.Builder
	group := ""
	for _, o := range Options() {
		if o.Group != group {
			group = o.Group
			fmt.Fprintf(&b, "\n### %s\n\n| option | variable | default | what it does |\n|---|---|---|---|\n", group)
		}
		name, vars, help := "`"+o.Name+"`", "`"+o.Variable()+"`", o.Help
		if o.Secret {
			vars += ", `" + variable(o.FileName()) + "`"
			help += " Secret."
		}
		def := cmp.Or(o.Empty, "none")
		if o.Default != "" {
			def = "`" + o.Default + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, vars, def, strings.ReplaceAll(o.describe(help), "<", "&lt;"))
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// describe adds the possible values of a choice to a help text.
func (o Option) describe(help string) string {
	if o.Kind == Switch || !strings.Contains(string(o.Kind), "|") {
		return help
	}
	quoted := strings.Split(string(o.Kind), "|")
	for i := range quoted {
		quoted[i] = "`" + quoted[i] + "`"
	}
	return help + " One of " + oneOf(quoted) + "."
}

// writeHelp writes the help text of a command.
func (cmd Command) writeHelp(w io.Writer, table []Option) error {
	var b strings.Builder
	usage := strings.Join(strings.Fields("latchkey "+cmp.Or(cmd.Name, "<command>")+" [flags] "+cmd.Args), " ")
	fmt.Fprintf(&b, "Usage: %s\n", usage)
	if cmd.About != "" {
		fmt.Fprintf(&b, "\n%s\n", cmd.About)
	}
	if own := cmd.ownFlags(); len(own) > 0 {
		fmt.Fprintf(&b, "\nFlags of this command:\n%s", strings.Join(own, ""))
	}
	cmd.writeShared(&b, table)
	_, err := io.WriteString(w, b.String())
	return err
}

func (cmd Command) writeShared(b *strings.Builder, table []Option) {
	group := ""
	for _, o := range table {
		if !cmd.AllOptions && o.Group != groupStorage {
			continue
		}
		if o.Group != group {
			group = o.Group
			fmt.Fprintf(b, "\n%s:\n", group)
		}
		def := o.Default
		if def == "" && o.Empty != "" {
			def = o.Empty
		}
		b.WriteString(helpEntry(o.Flag(), string(o.Kind), o.Help, def))
		if o.Secret {
			b.WriteString(helpEntry("--"+o.FileName(), string(Path), "File to read "+o.Name+" from.", ""))
		}
	}
	b.WriteString("\nEach can also be set by variable (--data-dir is LATCHKEY_DATA_DIR) or in the YAML file\n" +
		"that --config names. A flag wins over a variable, a variable over the file. Give secrets\n" +
		"by file or variable: other users of this machine can see flags.\n")
	if !cmd.AllOptions {
		b.WriteString("latchkey config --help lists all options.\n")
	}
}

// ownFlags returns the help entries of the flags that the command adds.
func (cmd Command) ownFlags() []string {
	if cmd.Flags == nil {
		return nil
	}
	fs := flag.NewFlagSet(cmd.Name, flag.ContinueOnError)
	cmd.Flags(fs)
	var all []string
	fs.VisitAll(func(f *flag.Flag) {
		kind, help := flag.UnquoteUsage(f)
		def := f.DefValue
		if slices.Contains([]string{"false", "0", "0s", "[]"}, def) {
			def = ""
		}
		all = append(all, helpEntry("--"+f.Name, kind, help, def))
	})
	return all
}

// helpEntry writes one flag: its line, and its text wrapped below.
func helpEntry(name, kind, help, def string) string {
	if def != "" {
		help = strings.TrimRight(help, " ") + " Default: " + def + "."
	}
	return strings.TrimRight("  "+name+" "+kind, " ") + "\n" + wrap(help, "        ", 88)
}

// wrap breaks a text into indented lines of at most width characters.
func wrap(s, indent string, width int) string {
	var b strings.Builder
	line := indent
	for _, word := range strings.Fields(s) {
		if len(line) > len(indent) && len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = indent
		}
		if len(line) > len(indent) {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
	return b.String()
}
