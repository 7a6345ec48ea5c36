package web

import "testing"

func TestMarkdown(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a paragraph", "one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"},
		{"headings", "# A\n## B\n#### C ##", "<h3>A</h3><h4>B</h4><h5>C</h5>"},
		{"no heading", "#1 of all", "<p>#1 of all</p>"},
		{"lists", "- a\n- b\n  goes on\n1. c\n2) d", "<ul><li>a</li><li>b goes on</li></ul><ol><li>c</li><li>d</li></ol>"},
		{"quote and rule", "> said\n> so\n---", "<blockquote>said\nso</blockquote><hr>"},
		{"emphasis", "**very** *much* __so__ _it_ **a *b* c**", "<p><strong>very</strong> <em>much</em> <strong>so</strong> <em>it</em> <strong>a <em>b</em> c</strong></p>"},
		{"no emphasis", "2 * 3 * 4 snake_case_name ** and *", "<p>2 * 3 * 4 snake_case_name ** and *</p>"},
		{"code", "`a *b* <i>`\n```\n<b>\n\n*x*\n```", "<p><code>a *b* &lt;i&gt;</code></p><pre>&lt;b&gt;\n\n*x*</pre>"},
		{"escapes", `\*not\* \[a](b)`, "<p>*not* [a](b)</p>"},
		{
			"links", "[docs](https://example.com/a_b_c?x=1&y=2) [here](/dashboard/1) [mail](mailto:ada@example.com)",
			`<p><a href="https://example.com/a_b_c?x=1&amp;y=2" rel="noopener noreferrer">docs</a> ` +
				`<a href="/dashboard/1" rel="noopener noreferrer">here</a> <a href="mailto:ada@example.com" rel="noopener noreferrer">mail</a></p>`,
		},
		{"bad links", "[x](javascript:alert(1)) [y](//example.com) [z](data:text/html,1)", "<p>[x](javascript:alert(1)) [y](//example.com) [z](data:text/html,1)</p>"},
		{"HTML", `<script>alert("1")</script> [a"b](https://example.com/"x)`, `<p>&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; <a href="https://example.com/&#34;x" rel="noopener noreferrer">a&#34;b</a></p>`},
		{"windows", "a\r\n\r\nb", "<p>a</p><p>b</p>"},
	} {
		if got := string(markdown(c.text)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}
