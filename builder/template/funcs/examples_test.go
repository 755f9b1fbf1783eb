package funcs_test

// examples are calls and what they return, as JSON. Most are those of Packer's documentation.
func examples() map[string]string {
	return map[string]string{
		// numbers
		`abs(23)`: `23`, `abs(-12.4)`: `12.4`, `ceil(5.1)`: `6`, `floor(4.9)`: `4`, `log(16, 2)`: `4`, `log(50, 10) > 1.69`: `true`,
		`max(12, 54, 3)`: `54`, `max([12, 54, 3]...)`: `54`, `min(12, 54, 3)`: `3`, `parseint("FF", 16)`: `255`, `parseint("-1011111011101111", 2)`: `-48879`,
		`pow(3, 2)`: `9`, `pow(4, 0)`: `1`, `signum(-13)`: `-1`, `signum(0)`: `0`, `sum([10, 13, 6, 4.5])`: `33.5`, `sum(["1", 2])`: `3`,
		`range(3)`: `[0,1,2]`, `range(1, 4)`: `[1,2,3]`, `range(1, 8, 2)`: `[1,3,5,7]`, `range(4, 1)`: `[4,3,2]`,

		// strings
		`chomp("hello\r\n\n")`: `"hello"`, `endswith("hello world", "world")`: `true`, `endswith("hello world", "hello")`: `false`,
		`startswith("hello world", "hello")`: `true`, `startswith("hello world", "world")`: `false`, `strcontains("hello world", "wor")`: `true`,
		`strcontains("hello world", "wod")`: `false`, `format("Hello, %s!", "Ander")`: `"Hello, Ander!"`, `format("There are %d lights", 4)`: `"There are 4 lights"`,
		`format("%05.1f|%-4s|%q|%#v", 3.14159, "a", "b", ["c"])`: `"003.1|a   |\"b\"|[\"c\"]"`,
		`formatlist("Hello, %s!", ["Valentina", "Ander"])`:       `["Hello, Valentina!","Hello, Ander!"]`, `formatlist("%s/%s", "a", ["b", "c"])`: `["a/b","a/c"]`,
		`indent(2, "a\nb\nc")`: `"a\n  b\n  c"`, `join(", ", ["foo", "bar", "baz"])`: `"foo, bar, baz"`, `lower("HELLO")`: `"hello"`, `upper("hello")`: `"HELLO"`,
		`title("hello world")`: `"Hello World"`, `regex("[a-z]+", "53453453.345345aaabbbccc23454")`: `"aaabbbccc"`,
		`regex("(\\d\\d\\d\\d)-(\\d\\d)-(\\d\\d)", "2019-02-01")`:                                         `["2019","02","01"]`,
		`regex("^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?", "https://terraform.io/docs/")`: `{"authority":"terraform.io","scheme":"https"}`,
		`regexall("[a-z]+", "1234abcd5678efgh9")`:                                                         `["abcd","efgh"]`, `length(regexall("[a-z]+", "123456789"))`: `0`,
		`regex_replace("2020-01-02T03:04:05Z", "[- TZ:]", "")`: `"20200102030405"`, `regex_replace("hello world", "([a-z]+) ([a-z]+)", "$2 $1")`: `"world hello"`,
		`replace("1 + 2 + 3", "+", "-")`: `"1 - 2 - 3"`, `replace("hello world", "/w.*d/", "everybody")`: `"hello world"`,
		`split(",", "foo,bar,baz")`: `["foo","bar","baz"]`, `split(",", "")`: `[""]`, `strrev("hello")`: `"olleh"`, `strrev("a ☃")`: `"☃ a"`,
		`substr("hello world", 1, 4)`: `"ello"`, `substr("hello world", -5, -1)`: `"world"`, `trim("?!hello?!", "!?")`: `"hello"`,
		`trimprefix("helloworld", "hello")`: `"world"`, `trimspace("  hello\n\n")`: `"hello"`, `trimsuffix("helloworld", "world")`: `"hello"`,

		// collections
		`alltrue(["true", true])`: `true`, `alltrue([true, false])`: `false`, `alltrue([])`: `true`, `alltrue([true, null])`: `false`,
		`anytrue(["true"])`: `true`, `anytrue([true, false])`: `true`, `anytrue([])`: `false`, `anytrue([null])`: `false`,
		`chunklist(["a", "b", "c", "d", "e"], 2)`: `[["a","b"],["c","d"],["e"]]`, `coalesce("a", "b")`: `"a"`, `coalesce("", "b")`: `"b"`, `coalesce(1, 2)`: `1`,
		`coalesce(["", "b"]...)`: `"b"`, `coalesce(null, "c")`: `"c"`, `coalescelist(["a", "b"], ["c", "d"])`: `["a","b"]`, `coalescelist([], ["c", "d"])`: `["c","d"]`,
		`compact(["a", "", "b", "c"])`: `["a","b","c"]`, `concat(["a", ""], ["b", "c"])`: `["a","","b","c"]`, `contains(["a", "b", "c"], "a")`: `true`,
		`contains(["a", "b", "c"], "d")`: `false`, `distinct(["a", "b", "a", "c", "d", "b"])`: `["a","b","c","d"]`, `element(["a", "b", "c"], 1)`: `"b"`,
		`element(["a", "b", "c"], 3)`: `"a"`, `flatten([["a", "b"], [], ["c"]])`: `["a","b","c"]`, `index(["a", "b", "c"], "b")`: `1`,
		`keys({a = 1, c = 2, d = 3})`: `["a","c","d"]`, `length([])`: `0`, `length(["a", "b"])`: `2`, `length({"a" = "b"})`: `1`, `length("hello")`: `5`, `length("👾🕹️")`: `2`,
		`lookup({a = "ay", b = "bee"}, "a", "what?")`: `"ay"`, `lookup({a = "ay", b = "bee"}, "c", "what?")`: `"what?"`,
		`merge({"a" = "b", "c" = "d"}, {"e" = "f", "c" = "z"})`: `{"a":"b","c":"z","e":"f"}`, `reverse([1, 2, 3])`: `[3,2,1]`,
		`setintersection(["a", "b"], ["b", "c"], ["b", "d"])`: `["b"]`, `setproduct(["development", "production"], ["app1"])`: `[["development","app1"],["production","app1"]]`,
		`setunion(["a", "b"], ["b", "c"], ["d"])`: `["a","b","c","d"]`, `slice(["a", "b", "c", "d"], 1, 3)`: `["b","c"]`, `sort(["e", "d", "a", "x"])`: `["a","d","e","x"]`,
		`values({a = 3, c = 2, d = 1})`: `[3,2,1]`, `zipmap(["a", "b"], [1, 2])`: `{"a":1,"b":2}`, `can(1 + "a")`: `false`, `can("a")`: `true`, `try({}.a, "fallback")`: `"fallback"`,
		`convert("12", number) + 1`: `13`, `convert(["a", "a"], set(string))`: `["a"]`,

		// encodings
		`base64encode("Hello World")`: `"SGVsbG8gV29ybGQ="`, `base64decode("SGVsbG8gV29ybGQ=")`: `"Hello World"`,
		`csvdecode("a,b,c\n1,2,3\n4,5,6")`: `[{"a":"1","b":"2","c":"3"},{"a":"4","b":"5","c":"6"}]`, `jsondecode("{\"hello\": \"world\"}")`: `{"hello":"world"}`,
		`jsonencode({"hello" = "world"})`: `"{\"hello\":\"world\"}"`, `urlencode("Hello World!")`: `"Hello+World%21"`, `urlencode("☃")`: `"%E2%98%83"`,
		`yamldecode("hello: world")`: `{"hello":"world"}`, `yamlencode({a = "b", c = "d"})`: `"\"a\": \"b\"\n\"c\": \"d\"\n"`,
		`textencodebase64("Hello World", "UTF-16LE")`: `"SABlAGwAbABvACAAVwBvAHIAbABkAA=="`, `textdecodebase64("SABlAGwAbABvACAAVwBvAHIAbABkAA==", "UTF-16LE")`: `"Hello World"`,
		`textencodebase64("é", "ISO-8859-1")`: `"6Q=="`, `textencodebase64("€", "windows-1252")`: `"gA=="`, `textencodebase64("é", "UTF-8")`: `"w6k="`,

		// hashes
		`md5("hello world")`: `"5eb63bbbe01eeed093cb22bb8f5acdc3"`, `sha1("hello world")`: `"2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"`,
		`sha256("hello world")`:                `"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"`,
		`substr(sha512("hello world"), 0, 20)`: `"309ecc489c12d6eb4cc4"`,
		`uuidv5("dns", "www.terraform.io")`:    `"a5008fae-b28c-5ba5-96cd-82b4c53552d6"`, `uuidv5("url", "https://www.terraform.io/")`: `"9db6f67c-dd95-5ea0-aa5b-e70e5c5f7cf5"`,
		`uuidv5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.terraform.io")`: `"a5008fae-b28c-5ba5-96cd-82b4c53552d6"`,

		// network
		`cidrhost("10.12.127.0/20", 16)`: `"10.12.112.16"`, `cidrhost("10.12.127.0/20", 268)`: `"10.12.113.12"`, `cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)`: `"fd00:fd12:3456:7890::22"`,
		`cidrhost("10.0.0.0/24", -1)`: `"10.0.0.255"`, `cidrnetmask("172.16.0.0/12")`: `"255.240.0.0"`, `cidrsubnet("172.16.0.0/12", 4, 2)`: `"172.18.0.0/16"`,
		`cidrsubnet("10.1.2.0/24", 4, 15)`: `"10.1.2.240/28"`, `cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)`: `"fd00:fd12:3456:7800:a200::/72"`,
		`cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)`: `["10.1.0.0/20","10.1.16.0/20","10.1.32.0/24","10.1.48.0/20"]`,

		// times
		`timestamp()`: `"2026-03-04T05:06:07Z"`, `formatdate("DD MMM YYYY hh:mm ZZZ", "2018-01-02T23:12:01Z")`: `"02 Jan 2018 23:12 UTC"`,
		`formatdate("EEEE, DD-MMM-YY hh:mm:ss ZZZ", "2018-01-02T23:12:01Z")`: `"Tuesday, 02-Jan-18 23:12:01 UTC"`, `timeadd("2017-11-22T00:00:00Z", "10m")`: `"2017-11-22T00:10:00Z"`,
		`legacy_isotime("2006-01-02")`: `"2026-03-04"`, `legacy_isotime()`: `"2026-03-04T05:06:07Z"`, `legacy_strftime("%Y")`: `"2026 by %Y"`,
		`rfc3339_parse("2023-07-25T23:43:16Z").unix`: `1690328596`, `rfc3339_parse("2023-07-25 23:43:16.5Z").weekday_name`: `"Tuesday"`,
		`unix_timestamp_parse(1690328596)`: `{"day":25,"hour":23,"iso_week":30,"iso_year":2023,"minute":43,"month":7,"month_name":"July","rfc3339":"2023-07-25T23:43:16Z","second":16,"weekday":2,"weekday_name":"Tuesday","year":2023,"year_day":206}`,

		// files
		`basename("foo/bar/baz.txt")`: `"baz.txt"`, `dirname("foo/bar/baz.txt")`: `"foo/bar"`, `dirname("foo")`: `"."`, `pathexpand("~/.ssh/id_rsa")`: `"/home/baker/.ssh/id_rsa"`,
		`pathexpand("/etc/resolv.conf")`: `"/etc/resolv.conf"`, `abspath("/a/../b")`: `"/b"`, `basename(abspath("x"))`: `"x"`, `file("hello.pkrtpl")`: `"Hello ${name}!"`,
		`filebase64("binary")`: `"//4="`, `fileexists("hello.pkrtpl")`: `true`, `fileexists("nowhere")`: `false`,
		`fileset("tree", "*.sh")`: `["one.sh"]`, `fileset("tree", "**/*.sh")`: `["a/two.sh","one.sh"]`, `fileset("tree", "{one,a/two}.sh")`: `["a/two.sh","one.sh"]`,
		`fileset("tree", "a/**")`: `["a/b/three.txt","a/two.sh"]`, `fileset("tree", "*.txt")`: `[]`, `templatefile("hello.pkrtpl", {name = "you"})`: `"Hello you!"`,

		// servers
		`aws_secretsmanager("s", null)`: `"s/"`, `aws_secretsmanager("s", "k")`: `"s/k"`, `aws_secretsmanager_raw("s")`: `"all of s"`,
	}
}
