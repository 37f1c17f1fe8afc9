/** Provides small templates, one for each construct of Jinja or Python, for the comparison with jinja2. */

/** The variables of all constructs as Python's JSON, which preserves floats and the order of keys. */
export const CONTEXT = String.raw`{
  "none": null, "yes": true, "no": false, "n": 7, "big": 12345678901234567890, "x": 2.5, "whole": 2.0, "huge": 1e22,
  "tiny": 1e-7, "text": "  Héllo \"World\" it's\r\n\ttab \\ <b>&  ", "emoji": "a😀b\ud83d\ude00", "empty": "", "word": "straße",
  "list": [3, 1, 2], "mixed": [1, 2.0, true, null, "a'b", [1], {"k": "v"}], "words": ["b", "A", "c", "B", "a"],
  "nothing": [], "table": {"b": 1, "10": 2, "2": null, "a": [true]}, "void": {}, "lines": "one\n\n  two\nthree\n",
  "people": [{"name": "Ann", "age": 30, "at": {"city": "X"}}, {"name": "bob", "age": 25}, {"name": "Cid", "age": 30, "at": {"city": "Y"}}],
  "tree": [{"v": 1, "kids": [{"v": 2, "kids": [{"v": 3}]}, {"v": 4}]}, {"v": 5}],
  "keyed": {"items": [1], "keys": 2, "get": 3, "_x": 4, "pop": 5}
}`;

/** Expressions with values and operators, one per line. */
const EXPRESSIONS = String.raw`
none
yes
no
[none, yes, no]
n
big
big + 1
big * big
x
whole
huge
tiny
mixed
table
void
{}
[]
()
(1,)
(1, "a")
{"a": 1, 2: "b", none: 3, true: 4, 1.5: 5}
{1: "a", true: "b", 1.0: "c"}
"a" "b" 'c'
"\n\t\\\x41\u00e9\101\q"
'it\'s "x"'
["it's", 'say "x"', "both ' and \"", "\n\t\\\x00\x7f\xa0\u200b"]
1 + 2 * 3 - 4
7 / 2
8 / 2
7 // 2
-7 // 2
7 % 3
-7 % 3
7 % -3
7.5 // 2
-7.5 % 2
2 ** 10
2 ** -1
2 ** 0.5
-2 ** 2
1_000 + 0x1f + 0b11 + 0o17
1.5e3
1e16
1e-5
0.1 + 0.2
1 / 3
1 / 0
7 % 0
true + true
"ab" * 2
2 * "ab"
[1] * 3
(1, 2) + (3,)
[1] + [2]
[1] + (2,)
"a" + 1
1 + "a"
"a" ~ 1 ~ none ~ 1.0 ~ [true]
1 == 1.0
true == 1
"1" == 1
[1, 2] == [1.0, 2]
[1] == (1,)
{"a": 1} == {"a": 1.0}
1 < 2 < 3
1 < 2 > 5
"a" < "b"
"Z" < "a"
"\ue000" < "😀"
[1, 2] < [1, 3]
1 < "a"
none < 1
1 in [1, 2]
1.0 in list
"el" in "hello"
"b" in table
"x" not in table
1 in "a"
1 in 5
not yes
not nothing
no or "x"
"" and 1
0 or none
1 if yes else 2
1 if no
(1 if no) is defined
missing
missing is defined
missing.x
missing + 1
missing == missing2
[missing]
missing | length
missing[0]
missing()
not missing
missing ~ "x"
table.a
table["a"]
table.missing
table.missing.x
table["10"]
table.b.real
keyed.items
keyed["items"]
keyed.keys
keyed.get
keyed._x
keyed.pop
keyed.pop("a")
list.append(1)
list[0]
list[-1]
list[5]
list["0"]
list.0
list[1:]
list[:2]
list[::-1]
list[::2]
list[-2:]
list[5:]
list[2:0:-1]
list[1:10:0]
text[2:7]
text[::-1]
emoji[1]
emoji[1:3]
emoji[::-1]
emoji | length
table[1:2]
n[0]
none[0]
(1, 2, 3)[1:]
range(5)[1:3]
range(3)
range(1, 10, 3) | list
range(5, 0, -2) | list
range(0) | list
range(1, 2, 0)
range(100001) | length
range(1.5)
dict(a=1, b=2)
dict([("a", 1)])
dict({"x": 1}, y=2)
table.items()
table.keys()
table.values()
table.keys() | list
table.items() | list
table.get("b")
table.get("zz")
table.get("zz", "d")
table.get("2", "d")
table.get()
list.count(1)
list.index(2)
list.index(9)
"abc".upper()
text.strip()
text.strip() | length
"xxaxx".strip("x")
"xxaxx".lstrip("x")
"xxaxx".rstrip("x")
"xyaxy".strip("xy")
"\x1c a \x85\u3000".strip()
"\ufeffa".strip()
"a,b,,c".split(",")
"a,b,,c".split(",", 1)
" a  b  c ".split()
" a  b  c ".split(none, 1)
" a  b  c ".split(maxsplit=1)
"a b c".split(" ", -1)
"a,b,c".rsplit(",", 1)
" a  b  c ".rsplit(none, 1)
"abc".split("")
"a\r\nb\x0bc\u2028d\n".splitlines()
"a\r\nb\n".splitlines(true)
"hello".replace("l", "L")
"hello".replace("l", "L", 1)
"hello".replace("", "-")
"hello".replace("", "-", 2)
"hello".startswith("he")
"hello".startswith(("x", "he"))
"hello".startswith(["x"])
"hello".startswith("l", 2)
"hello".endswith("lo", 0, 5)
"hello".endswith(("x", "lo"))
"hello".find("l")
"hello".find("l", 3)
"hello".rfind("l")
"hello".find("z")
emoji.find("b")
"hello".index("z")
"hello".count("l")
"hello".count("")
"hello".center(11, "*")
"hello".center(10, "*")
"ab".center(5, "*")
"hello".ljust(7) ~ "|"
"hello".rjust(7, "0")
"-42".zfill(6)
"hello".partition("l")
"hello".rpartition("l")
"hello".partition("z")
"hello".removeprefix("he")
"hello".removesuffix("lo")
"hELLO wORLD".capitalize()
"hello wORLD it's ok".title()
"Hello".swapcase()
word.upper()
word.capitalize()
"ǆ".capitalize()
"ﬁn".title()
"İI".lower()
"ΑΣ".lower()
"-".join(["a", "b"])
"-".join([1])
"-".join("abc")
"abc".isalpha()
"12".isdigit()
"²".isdigit()
"²".isdecimal()
"½".isnumeric()
"a1".isalnum()
" \t".isspace()
"".isspace()
"Abc Def".istitle()
"abc1".islower()
"ABC".isupper()
"a\tb".expandtabs(4)
"{} {}".format(1, "a")
"{1} {0} {x}".format(1, "a", x=2.0)
"{:>5}|{:<5}|{:^5}|{:*^7}".format("a", "b", "c", "d")
"{:05d} {:+d} {:,} {:x} {:#b} {:e} {:.2f} {:g} {:%}".format(42, 3, 1234567, 255, 5, 12345.678, 2.675, 0.00001, 0.256)
"{!r} {!s} {0}".format("a", "b")
"{!r:>6}".format("a")
"{0.name} {0[age]}".format(people[0])
"{{}}".format()
"{".format()
"{} {1}".format(1, 2)
"{x.__class__}".format(x=1)
"{:{}}".format("a", 5) ~ "|"
"{:d}".format("a")
"{:.3}".format("abcdef")
"{}".format(none)
"{:.1f}".format(0.25)
"{:.0f}".format(2.5)
"{:.3g}".format(1234567.0)
"{:10.3e}|".format(1234.5)
"{:,.2f}".format(1234567.891)
"{a[b]}".format_map({"a": {"b": 1}})
"%s %d %5.2f %r" % ("a", 3, 2.675, "x")
"%s" % none
"%s" % [1, 2]
"%(a)s" % {"a": 1}
"%%"  % ()
"%s"  % ()
"%d" % "a"
"%s %s" % ("a",)
"%x %X %o %#x" % (255, 255, 8, 255)
"%e %g %G" % (12345.6789, 1e-10, 1e20)
"%-5s|%5s|%05d|%+d" % ("a", "b", 42, 5)
"%c%c" % ("a", 98)
"%.3s" % "abcdef"
(5).real
(2.0).is_integer()
"abc".nope
"abc".nope()
"a".__class__
"" | e
text | e
text | safe
("<" | safe) + "<"
"<" + (">" | safe)
("%s" | safe) % "<"
("{}" | safe).format("<")
("<a>" | safe).upper() + "<"
[("a" | safe)]
("a" | safe) == "a"
("b" | safe) in "abc"
("<" | e) | upper
("a" | safe) is string
("a" | safe) is escaped
("a<" | safe) | tojson
(("a" | safe) ~ "<")
`;

/** Expressions with filters and tests, one per line. */
const FILTERS = String.raw`
none | string
yes | string
whole | string
mixed | string
table | string
missing | string
table | tojson
mixed | tojson
text | tojson
emoji | tojson
emoji | tojson(ensure_ascii=true)
big | tojson
huge | tojson
whole | tojson
[1, 2] | tojson(indent=2)
table | tojson(indent=4)
table | tojson(indent="\t")
[] | tojson(indent=2)
{"a": []} | tojson(indent=2)
table | tojson(separators=(",", ":"))
table | tojson(sort_keys=true)
{2: 1, none: 2, true: 3, 1.5: 4} | tojson
(1, 2) | tojson
missing | tojson
range(3) | tojson
table.items() | tojson
"\x7f\u2028\x00\b" | tojson
list | length
text | length
table | length
n | length
table | count
text | trim
"xax" | trim("x")
n | trim
none | trim
text | upper
text | lower
word | upper
none | upper
"hello world-it (ok) <b> [c] {d}" | title
"it's ÉCOLE" | title
"hELLO" | capitalize
"hello" | replace("l", "L")
"hello" | replace("l", "L", 1)
12321 | replace(2, "x")
list | first
list | last
nothing | first
nothing | last
text | first
table | first
table | last
(list | select) | last
list | sort
words | sort
words | sort(case_sensitive=true)
words | sort(reverse=true)
mixed | sort
people | sort(attribute="age") | map(attribute="name") | list
people | sort(attribute="age,name", reverse=true) | map(attribute="name") | list
people | sort(attribute="at.city")
table | dictsort
table | dictsort(by="value")
table | dictsort(reverse=true)
{"b": 1, "A": 2, "a": 3} | dictsort
{"b": 1, "A": 2, "a": 3} | dictsort(true)
{"b": 2, "a": 1} | dictsort(false, "value")
list | reverse | list
list | reverse
"abc" | reverse
table | reverse | list
list | join(", ")
mixed | join("|")
people | join(", ", attribute="name")
"abc" | join("-")
missing | join
list | sum
people | sum(attribute="age")
list | sum(start=10)
[[1], [2]] | sum(start=[])
["a"] | sum
list | min
list | max
words | max
nothing | min
people | max(attribute="age")
words | unique | list
words | unique(true) | list
[1, 1.0, true, 2] | unique | list
list | map("string") | list
list | map("add") | list
words | map("upper") | join
words | map("replace", "a", "X") | list
people | map(attribute="at.city") | list
people | map(attribute="at.city", default="none") | list
people | map(attribute="name", nope=1) | list
list | map | list
list | select
list | select("odd") | list
list | select(">", 1) | list
mixed | select | list
list | reject("odd") | list
list | reject("equalto", 1) | list
people | selectattr("at") | map(attribute="name") | list
people | selectattr("age", "equalto", 30) | map(attribute="name") | list
people | selectattr("age", "gt", 26) | list | length
people | selectattr("name", "in", ["bob"]) | list | length
people | rejectattr("at", "defined") | map(attribute="name") | list
people | selectattr("at.city", "defined") | map(attribute="name") | list
list | selectattr | list
list | select("nope") | list
missing | select | list
people | groupby("age")
people | groupby("age") | map(attribute="list") | map("length") | list
people | groupby("at.city", default="?") | map(attribute="grouper") | list
people | groupby("name") | first
[1, 2, 3, 4, 5] | batch(2) | list
[1, 2, 3, 4, 5] | batch(2, "x") | list
[1, 2, 3, 4, 5] | slice(2) | list
[1, 2, 3, 4, 5] | slice(3, "x") | list
"abc" | list
table | list
n | list
table | items
table | items | list
missing | items | list
list | items | list
missing | default("d")
missing | d
none | default("d")
none | default("d", true)
empty | default("d", boolean=true)
no | default("d", true)
"42" | int
" 42 " | int
"4_2" | int
"0x1f" | int
"0x1f" | int(0, 16)
"1f" | int(base=16)
"0b11" | int(0, 0)
"abc" | int
"abc" | int(5)
"3.9" | int
3.9 | int
-3.9 | int
none | int
yes | int
"1e3" | int
"inf" | int
"3.5" | float
"abc" | float
"1_0.5" | float
"inf" | float
none | float(1)
3 | float
-5 | abs
-5.5 | abs
"a" | abs
2.5 | round
3.5 | round
2.675 | round(2)
2.5 | round(method="ceil")
2.55 | round(1, "floor")
7 | round
1234.5 | round(-2)
-0.4 | round
1000000 | filesizeformat
1024 | filesizeformat(true)
1 | filesizeformat
500 | filesizeformat
"one two" | wordcount
lines | indent
lines | indent(2)
lines | indent(2, true)
lines | indent(2, true, true)
lines | indent("> ")
"" | indent(2, true)
none | indent
"hello world foo" | truncate(9)
"hello world foo" | truncate(9, true)
"hello world foo" | truncate(9, false, "…", 0)
"hello" | truncate(1)
"ab" | center(5) ~ "|"
"ab" | center(7) ~ "|"
"%s-%s" | format("a", 1)
"%(a)s" | format(a=1)
"%s" | format("a", b=1)
"a b/é&" | urlencode
{"a b": "c/d", "e": 1} | urlencode
[("a", 1)] | urlencode
people[0] | attr("name")
"a" | attr("upper")
missing | attr("x")
text | forceescape
list | nope
list | length(1)
"a" | upper(1)
1 is odd
2 is even
"a" is odd
9 is divisibleby 3
9 is divisibleby(by=3)
none is none
missing is undefined
missing is none
yes is true
1 is true
no is false
yes is boolean
1 is integer
true is integer
1.0 is integer
1.0 is float
1 is number
true is number
"a" is number
"a" is string
table is mapping
list is mapping
list is sequence
table is sequence
"a" is sequence
n is sequence
missing is sequence
table.items() is sequence
range(3) is sequence
list is iterable
n is iterable
none is iterable
missing is iterable
"abc" is lower
"ABC" is upper
1 is eq 1
1 is sameas 1
none is sameas none
1 is in [1]
1 is not in [1]
2 is gt 1
2 is ge 2
2 is lt 1
2 is le 2
2 is ne 1
2 is lessthan 3
"upper" is filter
"nope" is filter
"odd" is test
table.get is callable
missing is callable
n is callable
1 is nope
list is not none and list is iterable
yes is not string
x is float and not x is integer
namespace(a=1)
namespace(a=1).a
namespace(a=1).b
namespace({"a": 1}, b=2)
cycler("a", "b").next()
cycler()
raise_exception("no: " ~ n)
nope()
n()
"a"()
strftime_now("%Y") | length > 3
strftime_now("%d %b %Y, %A %B %-d %j %U %W %V %G %u %w %y %C %e %p") is string
strftime_now(1)
`;

/** Templates with statements, white space control and scopes. */
const STATEMENTS: readonly string[] = [
  "a\n{% if yes %}\nb\n{% endif %}\nc\n",
  "a\n  {%- if yes -%}  \n b \n {%- endif -%} \n c",
  "a\n  {%+ if yes %}\n b\n  {%+ endif +%}\n c",
  "  {# comment #}\nx\n  {#- trimmed -#}  y {# no end",
  "a {#+ kept +#}\nb",
  "  {{ n }}\n  {{- n -}}\n  {{+ n }} b",
  "a\r\nb\rc{{ '\r\n' | tojson }}\r\n",
  "{{ n }}\n\n",
  "\n{% if yes %}x{% endif %}\n\n",
  "{% raw %}{{ n }} {% if %}{% endraw %}",
  "a\n  {%- raw -%}  {{ x }}  {%- endraw -%}  b",
  "a\n  {% raw %}\n x\n  {% endraw %}\nb",
  "{% if no %}1{% elif n == 7 %}2{% else %}3{% endif %}",
  "{% if missing %}1{% else %}0{% endif %}",
  "{% for i in list %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ i }};{% endfor %}",
  "{% for i in list %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }};{% endfor %}",
  "{% for i in list %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{{ loop.cycle('a', 'b') }}{{ loop.changed(i // 2) }};{% endfor %}",
  "{% for i in list %}{{ loop }}{{ loop.depth }}{% endfor %}",
  "{% for i in nothing %}x{% else %}none{% endfor %}",
  "{% for i in list if i > 5 %}x{% else %}none{% endfor %}",
  "{% for i in list if i != 1 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% endfor %}",
  "{% set ns = namespace(stop=false) %}{% for i in list if not ns.stop %}{{ i }}{% set ns.stop = true %}{% endfor %}",
  "{% set ns = namespace(stop=false) %}{% for i in list if not ns.stop %}{{ i }}{{ loop.last }}{% set ns.stop = true %}{% endfor %}",
  "{% for i in list %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}",
  "{% for i in list %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% else %}e{% endfor %}",
  "{% for i in list %}{% continue %}{% else %}e{% endfor %}",
  "{% for i in list %}{% for j in list %}{% if j == 1 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
  "{% break %}",
  "{% for k, v in table.items() %}{{ k }}={{ v }},{% endfor %}",
  "{% for k in table %}{{ k }},{% endfor %}",
  "{% for c in emoji %}{{ c }},{% endfor %}",
  "{% for a, b in list %}{% endfor %}",
  "{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
  "{% for x in missing %}a{% endfor %}b",
  "{% for x in n %}a{% endfor %}",
  "{% for x in none %}a{% endfor %}",
  "{% for x in 1, 2 %}{{ x }}{% endfor %}",
  "{% for t in tree recursive %}{{ loop.depth }}:{{ t.v }}[{{ loop(t.kids) if t.kids }}]{% endfor %}",
  "{% for t in tree recursive %}{{ t.v }}{% if t.kids %}({{ loop(t.kids) }}){% endif %}{% else %}-{% endfor %}",
  "{% for i in list %}{{ loop(list) }}{% endfor %}",
  "{% set a = 1 %}{% for i in list %}{{ a }}{% set a = i %}{{ a }} {% endfor %}{{ a }}",
  "{% for i in list %}{% set b = i %}{% endfor %}{{ b is defined }}",
  "{% if yes %}{% set c = 1 %}{% endif %}{{ c }}",
  "{% if no %}{% set n = 1 %}{% endif %}{{ n }}",
  "{{ later }}{% set later = 1 %}{{ later }}",
  "{% for i in list %}{{ n }}{% if i == 1 %}{% set n = 'x' %}{% endif %}{{ n }} {% endfor %}{{ n }}",
  "{% for i in [1] %}{{ q }}{% endfor %}{% set q = 2 %}{{ q }}",
  "{% for i in [1] %}{{ n }}{% endfor %}{% set n = 2 %}{{ n }}",
  "{% set a, b = 1, [2] %}{{ a }}{{ b }}",
  "{% set a = 1, 2 %}{{ a }}",
  "{% set ns = namespace() %}{% set ns.a, b = 1, 2 %}{{ ns.a }}{{ b }}",
  "{% set table.a = 1 %}",
  "{% set block %}x{{ n }}{% endset %}[{{ block }}]{{ block is string }}",
  "{% set block | upper | replace('X', 'y') %}x{{ n }}{% endset %}[{{ block }}]",
  "{% set ns = namespace() %}{% set ns.t %}v{% endset %}{{ ns.t }}",
  "{% set a = 1 %}{% set b %}{% set a = 2 %}{{ a }}{% endset %}{{ a }}{{ b }}",
  "{% macro m(a, b=2, c=a) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m() }}",
  "{% macro m(a) %}{{ a is defined }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}{{ m() }}",
  "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
  "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=2) }}",
  "{% macro m(a) %}{{ a }}{% endmacro %}{{ m }}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.caller }}",
  "{% macro m() %}{{ n }}{{ later }}{% endmacro %}{% set later = 1 %}{{ m() }}{% set n = 2 %}{{ m() }}",
  "{% macro m(a) %}{% if a > 0 %}{{ a }}{{ m(a - 1) }}{% endif %}{% endmacro %}{{ m(3) }}",
  "{% for i in list %}{% macro m() %}{{ i }}{{ loop.index }}{% endmacro %}{{ m() }}{% endfor %}",
  "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}in{{ n }}{% endcall %}",
  "{% macro m(x) %}[{{ caller(x, 2) }}]{% endmacro %}{% call(a, b=3) m(1) %}{{ a }}{{ b }}{% endcall %}",
  "{% macro m() %}{{ caller is defined }}{{ caller }}{% endmacro %}{{ m() }}",
  "{% macro m() %}x{% endmacro %}{% call m() %}{% endcall %}",
  "{% macro outer() %}{% macro inner() %}{{ n }}{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}{{ inner is defined }}",
  "{% filter upper %}a{{ word }}{% endfilter %}",
  "{% filter replace('a', 'b') | upper %}aa{% endfilter %}",
  "{% with a = 1, b = n %}{{ a }}{{ b }}{% set a = 2 %}{{ a }}{% endwith %}{{ a is defined }}",
  "{% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z }}",
  "{% with a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}{% endwith %}",
  "{% generation %}a{{ n }}\n{% endgeneration %}\nb",
  "{% for i in list %}{% generation %}{{ loop.index }}{% set n = i %}{% endgeneration %}{{ n }}{% endfor %}",
  "{% block a %}x{{ n }}{% endblock %}{% set s = 1 %}{% block b %}{{ s }}{% endblock b %}",
  "{% for i in list %}{% block c scoped %}{{ i }}{{ loop.index }}{% endblock %}{% block d %}{{ i }}{% endblock %}{% endfor %}",
  "{% print n, x %}",
  "{% autoescape false %}{{ '<' }}{% endautoescape %}",
  "{{ self.x }}{{ self is defined }}",
  "{% if no %}{{ n | nope }}{% endif %}ok",
  "{{ n | nope }}",
  "{% if no %}{% for i in list %}{{ i | nope }}{% endfor %}{% endif %}",
  "{{ 1 if yes else (n | nope) }}",
  "{% include 'x' %}",
  "{% if no %}{% include 'x' %}{% endif %}ok",
  "{% do list %}",
  "{% nope %}",
  "{% if yes %}",
  "{% endif %}",
  "{{ n",
  "{{ n }",
  "{{ 'a }}",
  "{% for %}{% endfor %}",
  "{% set true = 1 %}",
  "{{ a.b. }}",
  "{{ [1, 2 }}",
  "{{ f(a=1, 2) }}",
  "{{ 1 is odd is even }}",
  "{{ }}",
  "{{ {'a': {'b': 1}}['a']['b'] }}{{ {'a': 1}.a }}",
  "{{ '}}' }}{{ \"%}\" }}{% if '%}' == '%}' %}y{% endif %}",
  "{{ (\n1\n+\n2) }}",
  "{{- '' }} x {{ '' -}} y",
  "{% set x = [1, 2] %}{{ x * 2 }}{% set f = x.index %}{{ f(2) }}",
  "{% set gen = list | select('odd') %}{{ gen | list }}{{ gen | list }}",
  "{{ 'yes' if list | select('odd') else 'no' }}{{ list | select('odd') | length }}",
  "{{ m(*[1, 2], **{'c': 3}) }}{% macro m(a) %}{% endmacro %}",
  "{% macro m(a, b, c) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(*[1, 2], **{'c': 3}) }}{{ m(1, *[2], c=4) }}{{ m(a=1, **{'a': 2}) }}",
  "{% set j = joiner('|') %}{% for i in list %}{{ j() }}{{ i }}{% endfor %}",
  "{% set c = cycler('a', 'b') %}{% for i in list %}{{ c.next() }}{{ c.current }}{% endfor %}{{ c.reset() }}",
  "{{ loop }}",
  "{% for i in list %}{% endfor %}{{ loop is defined }}",
  "{% for loop in list %}{% endfor %}",
  "{% set loop = 1 %}{% for i in list %}{{ loop.index }}{% endfor %}{{ loop }}",
  "{{ messages }}{{ range is defined }}{{ range }}",
];

/**
 * Templates that combine several constructs to handle messages, numbers and text as public templates do, and invalid
 * templates.
 */
const MIXED = String.raw`
{{ table|tojson(indent=2, sort_keys=True) }}
{{ "%s" % (1,2) }}
{{ "%s %s" % [1,2] }}
{{ 'a' in missing }}
{{ missing in [1] }}
{{ missing in "abc" }}
{{ missing < 1 }}
{{ none == missing }}
{{ people|map(attribute='name')|join(', ') }}
{{ people|map('length')|list }}
{{ people|map(attribute='age')|sum }}
{{ table|dictsort|first }}
{{ "abc"|list|reverse|join }}
{{ people|selectattr('age','lt',30)|first }}
{{ people|selectattr('age','lt',3)|first }}
{{ people|selectattr('nope')|list }}
{{ (people|selectattr('name','equalto','bob')|list|first).age }}
{{ people[0].keys()|list }}{{ people[0].items()|first }}
{% for k, v in people[0].items() %}{{ loop.index }}{{ k }}{{ v }}{% endfor %}
{% for k, v in people[0]|items %}{{ loop.length }}{{ k }}{% endfor %}
{% for x in list|sort(reverse=true) %}{{ x }}{{ loop.revindex }}{% endfor %}
{% for x in list|select('odd') %}{{ x }}{{ loop.length }}{{ loop.last }}{% endfor %}
{% for g in people|groupby('age') %}{{ g.grouper }}:{% for p in g.list %}{{ p.name }}{% endfor %};{% endfor %}
{% for age, ps in people|groupby('age') %}{{ age }}{{ ps|length }}{% endfor %}
{{ range(3)|join }}{{ range(0, 10, 4)|list }}{{ range(3)[0] }}{{ range(3)[-1] }}{{ 2 in range(3) }}{{ range(3)|length }}
{{ 'a' ~ 'b' * 2 ~ 1 + 2 }}
{{ 1 + 2 ~ 3 }}
{{ -n|abs }}{{ (-n)|abs }}{{ -x|string }}
{{ not n == 7 }}{{ not n in list }}
{{ n is not none and n > 3 or x }}
{{ (1, 2) is sequence }}{{ "ab" is iterable }}{{ () is mapping }}
{{ 1 if missing is defined else 2 if no else 3 }}
{{ [1, 2, 3][1:][0] }}{{ "abc"[1:][0] }}{{ list[:-1] }}{{ list[-1:] }}{{ list[::-2] }}
{{ text|trim|length }}{{ text.strip()|length }}{{ text|upper|trim }}
{{ "a.b.c".split(".")[-1] }}{{ "a=b=c".split("=", 1)[1] }}{{ "</think>x</think>y".split("</think>")[-1].lstrip("\n") }}
{{ "x\n\n".rstrip("\n") }}|{{ "\n\nx".lstrip("\n") }}|
{% set ns = namespace(a=[], b='') %}{% for i in list %}{% set ns.a = ns.a + [i] %}{% set ns.b = ns.b ~ i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns }}
{% set ns = namespace(x=none) %}{{ ns.x is none }}{{ ns.y is defined }}{{ ns['x'] }}
{% macro a() %}{{ caller() }}{% endmacro %}{% macro b() %}[{{ caller() }}]{% endmacro %}{% call a() %}{% call b() %}x{% endcall %}{% endcall %}
{% macro a(x) %}{% if x is mapping %}{% for k, v in x.items() %}{{ k }}({{ a(v) }}){% endfor %}{% else %}{{ x }}{% endif %}{% endmacro %}{{ a({'p': {'q': 1}, 'r': [2]}) }}
{% macro f(a, b='x') -%} {{ a }}{{ b }} {%- endmacro %}{{ f('1') }}{{ f('1', b='2') }}{{ f(b='3', a='4') }}
{% for i in [1,2,3] -%} {{ i }} {%- if not loop.last %}, {% endif -%} {% endfor %}
{{ 'tab\there' }}{{ "uni\u00e9\U0001F600" }}{{ "nul\0x"|tojson }}
{{ "\N{DASH}" }}
{{ '\x4' }}
{{ 5 // 2 }}{{ 5.0 // 2 }}{{ -5 // 2 }}{{ 5 % -3 }}{{ 2**3**2 }}{{ 10 / 4 }}{{ 1e3 }}{{ 1E-7 }}{{ 100000000000000000000 }}{{ 1_0.5_0 }}
{{ 0.1 }}{{ 1.10 }}{{ 123456789.123456789 }}{{ 1e100 }}{{ 1.0e15 }}{{ 1.0e16 }}{{ 3.0 }}{{ -0.0 }}
{{ true and 'a' or 'b' }}{{ false and 'a' or 'b' }}{{ none or [] }}
{{ [] or {} or '' or 0 or 'z' }}
{{ {'a': 1}|tojson|length }}{{ {'a': 1}|string }}{{ [none, true]|join(',') }}
{{ (n ~ '')|int + 1 }}{{ '3'|int * 2 }}{{ '3' * 2 }}{{ '3'|float }}
{{ people|sort(attribute='name')|map(attribute='name')|list }}{{ people|sort(attribute='name', case_sensitive=true)|map(attribute='name')|list }}
{{ people|map(attribute='at')|map('default', {})|list }}
{{ people|map('attr', 'name')|list }}
{{ list|map('string')|map('center', 3)|join('|') }}
{{ table.b is defined and table['b'] is number }}{{ table.zz is defined }}{{ table.zz|default('q') }}
{{ lines.splitlines()|map('trim')|reject('equalto', '')|list }}
{{ lines|indent(4, first=True) }}
{{ "x"|indent(width=2) }}{{ "x\ny"|indent('--') }}
{{ 'Hello World'|replace('o', '0')|lower|title }}
{{ "{:,}".format(1234567) }}{{ "{:>10}".format("a") }}{{ "{a}-{b}".format(a=1, b=2) }}{{ "{0:.2f}".format(3.14159) }}{{ "{:03d}".format(7) }}{{ "{!s:>5}".format(none) }}
{{ "%05.1f|%-6s|%+d|%%" % (3.14159, "ab", 5) }}
{% set x = 5 %}{% if x %}{% set x = 6 %}{% endif %}{{ x }}{% for i in [1] %}{% if i %}{% set x = 7 %}{% endif %}{{ x }}{% endfor %}{{ x }}
{% for i in [1,2] %}{% set y = (y or 0) + i %}{{ y }}{% endfor %}
{% set y = 0 %}{% for i in [1,2] %}{% set y = y + i %}{{ y }}{% endfor %}{{ y }}
{% for a in [1,2] %}{% for b in [3,4] %}{{ loop.index }}{{ loop.first }}{% endfor %}{{ loop.index }}{% endfor %}
{% for a in [1,2] %}{% set outer = loop %}{% for b in [3] %}{{ outer.index }}{{ outer.last }}{% endfor %}{% endfor %}
{% for a in [1,2,3] %}{{ loop.previtem if not loop.first }}{{ loop.nextitem if not loop.last }}{% endfor %}
{% for m in [{'r':'a'},{'r':'b'}] %}{% if loop.previtem and loop.previtem.r == 'a' %}X{% endif %}{% if not loop.last and loop.nextitem.r == 'b' %}Y{% endif %}{% endfor %}
{% for i in list %}{% if loop.index0 is even %}e{% else %}o{% endif %}{% if loop.index is divisibleby 2 %}d{% endif %}{% endfor %}
{% set t %}{% for i in list %}{{ i }}{% endfor %}{% endset %}{{ t|length }}{{ t.split('1') }}
{{ raise_exception('x') if no else 'fine' }}
{% if no %}{{ raise_exception('x') }}{% endif %}ok
{{ [1,[2,[3]]]|string }}{{ [[1,2],[3]]|map('join')|list }}{{ [[3,1],[2]]|sort }}{{ [[1],[1,0]]|max }}
{{ ['b','a']|sort|join }}{{ {'b':1,'a':2}|sort }}{{ 'bca'|sort|join }}{{ {'b':1}|list }}
{{ [1,2]|last }}{{ 'ab'|last }}{{ {'a':1,'b':2}|last }}{{ (1,2)|first }}
{{ [1,2,3]|batch(2)|map('list')|list }}{{ [3,1]|min }}{{ []|max is defined }}
{{ 'abc' if 'b' in 'abc' }}{{ 'x' if 'z' in 'abc' }}
{{ messages is defined }}{{ messages|default([])|length }}{{ (messages or [])|length }}
{{ yes|int }}{{ yes + 1 }}{{ yes|string|lower }}{{ yes|tojson }}{{ 'true' if yes else 'false' }}
{{ [yes, no]|tojson }}{{ {'a': yes}|tojson }}{{ none|tojson }}{{ 'é"\n'|tojson }}{{ 1.0|tojson }}{{ (1.0)|string }}
{{ word|length }}{{ word|capitalize }}{{ 'ñandú'|title }}{{ 'ÀÉ'|lower }}
{{ "a" < "B" }}{{ "a" == "a " }}{{ 'abc' >= 'abd' }}{{ (1,2) < (1,3) }}{{ 1 <= 1.0 }}{{ true > false }}
{{ people|length > 2 and people[0].name == 'Ann' }}
{{ people|map(attribute='name')|map('lower')|select('in', ['bob','cid'])|list }}
{{ people|selectattr('at')|map(attribute='at.city')|list }}{{ people|selectattr('at', 'mapping')|list|length }}
{{ keyed.items() }}
{{ keyed['items'] }}{{ keyed.get('items') }}{{ keyed|length }}{{ keyed|items|list }}
{{ table.items()|list|length }}{{ table.keys()|join(',') }}{{ table.values()|list }}{{ 'b' in table.keys() }}
{{ table.update({'x': 1}) }}
{{ list.sort() }}
{{ ''.__class__.__mro__ }}
{{ self }}
{{ strftime_now is defined }}{{ namespace is defined }}{{ lipsum is defined }}{{ cycler is defined }}
{% set a = [] %}{% set b = a %}{{ a is sameas b }}
{% set msg = {'role': 'user'} %}{{ dict(msg, content='x') }}{{ dict(msg, **{'y': 1}) }}
{{ [1, 2, 3] | slice(2) | list }}{{ "abc" | batch(2) | list }}
{{ '%s'|format(none) }}{{ '%.2f'|format(2) }}{{ '%d'|format(3.7) }}{{ '%s, %s'|format('a', 1) }}
{{ 'a' 'b' }}{{ ('a' 'b')|upper }}
{{ text | e | safe }}{{ "<" | escape }}{{ ["<"] | map("escape") | list }}{{ ["<"|safe] | join("&") }}
{{ 3 is number and 3.5 is float and not "3" is number }}
{{ big - 1 }}{{ big // 7 }}{{ big % 10 }}{{ big * 2.0 }}{{ big == 12345678901234567890 }}{{ big > 1e19 }}{{ -big }}
{{ list + [4] }}{{ list|length + 1 }}{{ (list|length) * 2 }}{{ list * 2 }}
{{ x.y.z is defined }}
{{ (x.y).z }}
{{ missing.y is defined }}
{% for i in 3 %}{% endfor %}
{% set a, b = [1] %}
{% set a, b = 'xy' %}{{ b }}{{ a }}
{% macro m(a, a2=n, *args) %}{% endmacro %}
{% macro m(a=1, b) %}{% endmacro %}
{% call m %}{% endcall %}
{% elif %}
{% for x in y
{{ "unclosed }}
{% if x == %}{% endif %}
{{ x[ }}
{{ (1, }}
{{ {1: 2, } }}{{ [1, 2, ] }}{{ (1, ) }}{{ {'a': 1, **{}} }}
{{ x if }}
{{ a b }}
{{ 1.2.3 }}
{{ .5 }}
{{ 5. }}
{{ 0x1G }}
{{ 'a'b }}
{{ a? }}
{{ x is }}
{{ x| }}
{% %}
{% if %}{% endif %}
{% for x in %}{% endfor %}
{% endfor %}
{% set %}{% endset %}
{% set x = %}
{% set x.y.z = 1 %}
{{ loop.index }}
{% block %}{% endblock %}
{{ n.real }}{{ x.real }}{{ n.bit_length() }}{{ x.is_integer() }}
`;

/** All templates of this module. */
export const CONSTRUCTS: readonly string[] = [
  ...[EXPRESSIONS, FILTERS].flatMap((list) =>
    list.trim().split("\n").map((expression) => `{{ ${expression} }}`)
  ),
  ...STATEMENTS,
  ...MIXED.trim().split("\n"),
];
