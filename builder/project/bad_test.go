package project_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/project"
)

// head begins a file whose images stand from line 2 on.
const head = "application = \"shop\"\n"

// TestMistakes holds what is said of mistakes. Of each the first line is compared, which has no excerpt.
func TestMistakes(t *testing.T) {
	const image = "image \"web\" {\n  template = \"t.json\"\n}\n"
	for _, tt := range []struct {
		name, text, env string
		want            []string
	}{
		{"empty", "", "", []string{
			`imago.hcl:1:1: a project file needs application = "NAME"`,
			`imago.hcl:1:1: a project file needs an image block, such as image "web" { template = "web.json" }`,
		}},
		{"not HCL", "image {\n", "", []string{
			`imago.hcl:1:7: Unclosed configuration block: There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.`,
		}},
		{"names", "aplication = 1\nimge \"x\" {}\n" + image, "", []string{
			`imago.hcl:1:1: a project file has no argument "aplication"; did you mean "application"?`,
			`imago.hcl:1:1: a project file needs application = "NAME"`,
			`imago.hcl:2:1: a project file has no block "imge"; did you mean "image"?`,
		}},
		{"types", "application = [1]\nimage \"a b\" {\n  template = true\n  vars = [1]\n  only = { a = 1 }\n}\n", "", []string{
			`imago.hcl:1:15: application must be a string`,
			`imago.hcl:2:7: image "a b": a name has 1 to 64 letters, digits, and _ . -, a letter or digit first`,
			`imago.hcl:3:14: template true does not exist`,
			`imago.hcl:4:10: vars must be an object such as { NAME = "value" }`,
			`imago.hcl:5:10: only must be a list of strings`,
		}},
		{"neither and both", head + "image \"a\" {}\nimage \"b\" {\n  template = \"t.json\"\n  recipe = \"primal\"\n}\n", "", []string{
			`imago.hcl:2:1: image a needs either template, the path of one, or recipe, one of primal, carnivore`,
			`imago.hcl:3:1: image b needs either template, the path of one, or recipe, one of primal, carnivore`,
		}},
		{"circles", head + "image \"a\" {\n  template = \"t.json\"\n  from = \"c\"\n}\nimage \"b\" {\n  template = \"t.json\"\n  from = \"a\"\n}\n" +
			"image \"c\" {\n  template = \"t.json\"\n  from = \"b\"\n}\nimage \"d\" {\n  template = \"t.json\"\n  from = \"cc\"\n}\n", "", []string{
			`imago.hcl:4:10: image a is made from itself: a from c from b from a`,
			`imago.hcl:16:10: there is no image "cc"; did you mean "c"?`,
		}},
		{"itself", head + "image \"a\" {\n  template = \"t.json\"\n  from = \"a\"\n}\n", "", []string{
			`imago.hcl:4:10: image a is made from itself: a from a`,
		}},
		{"twice", head + image + image + "environment \"a\" {}\nenvironment \"a\" {}\nretention {\n  keep = 1\n}\nretention {\n  keep = 1\n}\n", "", []string{
			`imago.hcl:5:7: image web is declared twice, first at line 2`,
			`imago.hcl:9:13: environment a is declared twice, first at line 8`,
			`imago.hcl:13:1: a project file has one retention block; the first is at line 10`,
		}},
		{"files", head + "image \"web\" {\n  template = \"x.json\"\n  var_files = [\"no.json\"]\n  build {\n    dir = \"no\"\n  }\n}\n", "", []string{
			`imago.hcl:3:14: template x.json does not exist; did you mean "t.json"?`,
			`imago.hcl:4:15: var_files no.json does not exist`,
			`imago.hcl:5:3: a build block needs command, a command line such as "npm run build"`,
			`imago.hcl:5:3: a build block needs output, the file or directory that the command makes`,
			`imago.hcl:6:11: dir no is no directory`,
		}},
		{"arguments of the other kind", head + "image \"web\" {\n  template = \"t.json\"\n  app = \"x\"\n  from_variable = \"X\"\n}\n", "", []string{
			`imago.hcl:4:3: app belongs to an image with a recipe; the template has its own`,
			`imago.hcl:5:19: from_variable needs from, the name of the image below`,
		}},
		{"recipes", head + "image \"a\" {\n  recipe = \"primel\"\n}\nimage \"b\" {\n  recipe = \"primal\"\n  app = \".\"\n  vars = { NODE_VERSIONS = 1 }\n  packages = [\"p.json\"]\n}\n" +
			"image \"c\" {\n  recipe = \"carnivore\"\n  from = \"b\"\n  source_ami = \"ami-1\"\n  only = [\"x\"]\n  config = \"no\"\n  packages = [\"x\"]\n}\n", "", []string{
			`imago.hcl:3:12: recipe is "primel"; it is one of primal, carnivore; did you mean "primal"?`,
			`imago.hcl:5:1: image b needs either from, the name of an image below, or source_ami, the id of a Debian or Ubuntu image`,
			`imago.hcl:7:3: app belongs to the recipe carnivore`,
			`imago.hcl:8:10: vars has NODE_VERSIONS, which the recipe primal does not know; did you mean "NODE_VERSION"?`,
			`imago.hcl:9:14: packages p.json does not exist; did you mean "t.json"?`,
			`imago.hcl:11:1: image c needs either from, the name of an image below, or source_ami, the id of a Debian or Ubuntu image`,
			`imago.hcl:11:1: the recipe carnivore needs app, the application's directory, or a build block that makes it`,
			`imago.hcl:15:3: only belongs to an image with a template`,
			`imago.hcl:16:12: config no does not exist`,
			`imago.hcl:17:3: packages belongs to the recipe primal`,
		}},
		{"an application that no service is called after", "application = \"My.Shop\"\nimage \"a\" {\n  recipe = \"primal\"\n  source_ami = \"ami-1\"\n}\n", "", []string{
			`imago.hcl:1:15: a recipe names a service after the application: project name "My.Shop": give 1 to 40 lower-case letters, digits and hyphens, a letter first`,
		}},
		{"variables", head + image + "variable \"n\" {\n  type = number\n}\nenvironment \"a\" {\n  variables = { n = \"x\", nn = 1 }\n}\nenvironment \"b\" {\n  variables = { n = var.n }\n}\n" +
			"environment \"c\" {\n  variables = [1]\n  region = var.no\n}\n", "a", []string{
			`imago.hcl:9:17: variable n: it is a string, and must be a number`,
			`imago.hcl:9:26: there is no variable "nn"; did you mean "n"?`,
			`imago.hcl:12:21: the variables of environment b may not refer to var: they come before it`,
			`imago.hcl:15:15: variables must be an object such as { NAME = "value" }`,
			`imago.hcl:16:12: there is no variable "no"; did you mean "n"?`,
		}},
		{"which environment", head + image + "environment \"a\" {}\nenvironment \"b\" {}\n", "", []string{
			`choose an environment with --env, or write default_environment into imago.hcl; it has a, b`,
		}},
		{"no such environment", head + image + "environment \"staging\" {}\n", "stagign", []string{
			`environment stagign: imago.hcl has no such environment; did you mean "staging"?`,
		}},
		{"no environments", head + image, "x", []string{`environment x: imago.hcl has no such environment; it has none`}},
		{"names in expressions", head + "image \"web\" {\n  template = \"t.json\"\n  vars = { A = environment.name, B = aplication, C = nofunc(1) }\n}\n", "", []string{
			`imago.hcl:4:16: there is no environment here; there are application, local, path, var`,
			`imago.hcl:4:38: there is no aplication here; there are application, local, path, var; did you mean "application"?`,
		}},
		{"a default that varies", "default_environment = var.x\n" + head + image + "environment \"a\" {}\nvariable \"x\" {\n  default = \"a\"\n}\n", "", []string{
			`imago.hcl:1:23: default_environment must be a name, and may not refer to anything: it decides what variables are`,
		}},
		{"no such default", "default_environment = \"prod\"\n" + head + image + "environment \"production\" {}\n", "", []string{
			`imago.hcl:1:23: default_environment is "prod", and there is no such environment`,
		}},
		{"deploy", head + image + "image \"api\" {\n  template = \"t.json\"\n}\nenvironment \"a\" {\n  deploy {\n    min = 3\n    max = 2\n    desired = 9\n    port = 99999\n    health_path = \"up\"\n    keep_warm = \"1 day\"\n    watch = 5\n" +
			"    zone = \"x\"\n    certificate = \"x\"\n    vpc_id = \"x\"\n    subnet_ids = [\"x\", \"\"]\n    colour = 1\n  }\n}\nenvironment \"b\" {\n  deploy {\n    instance_type = \"t3.nano\"\n    image = \"wev\"\n    domain = \"https://x/\"\n    min = 1.5\n    timeout = \"0s\"\n    version_header = \"X Y:\"\n    subnet_ids = [\"subnet-1\"]\n    requests_per_target = -1\n  }\n}\n", "a", []string{
			`imago.hcl:9:3: a deploy block needs instance_type, such as "t3.small"`,
			`imago.hcl:9:3: a deploy block needs image where several could be released: web, api`,
			`imago.hcl:10:11: min is 3, and max is 2; min may not be more`,
			`imago.hcl:12:15: desired is 9; it must be from min, 3, to max, 2`,
			`imago.hcl:13:12: port is 99999; it must be a whole number from 1 to 65535`,
			`imago.hcl:14:19: health_path is "up"; it must begin with a slash, such as "/up"`,
			`imago.hcl:15:17: keep_warm is "1 day"; it must be a time such as 30m, 1h30m or 0s`,
			`imago.hcl:16:13: watch is "5"; it must be a time such as 30m, 1h30m or 0s`,
			`imago.hcl:17:12: zone needs domain, the name in that zone`,
			`imago.hcl:18:19: certificate is "x"; it must be the ARN of a certificate of ACM, arn:aws:acm:…`,
			`imago.hcl:19:14: vpc_id is "x"; it must be an id, vpc-…`,
			`imago.hcl:20:18: subnet_ids has an empty string in it`,
			`imago.hcl:20:18: subnet_ids holds "x"; they must be ids, subnet-…`,
			`imago.hcl:21:5: a deploy block has no argument "colour"`,
			`imago.hcl:25:3: image: there is no image "wev"; did you mean "web"?`,
			`imago.hcl:28:14: domain is "https://x/"; it must be a name such as shop.example.com, without https:// and without a path`,
			`imago.hcl:29:11: min is 1.5; it must be a whole number from 0 to 10000`,
			`imago.hcl:30:15: timeout is 0s; a machine needs some time to start, such as "10m"`,
			`imago.hcl:31:22: version_header is "X Y:"; it must be the name of a header, such as "X-Imago-Image"`,
			`imago.hcl:32:18: subnet_ids needs vpc_id, the VPC that they are in`,
			`imago.hcl:33:27: requests_per_target is -1; it must be a whole number from 0 to 1000000`,
		}},
		{"retention", head + "image \"web\" {\n  template = \"t.json\"\n  retention {}\n}\nretention {\n  keep = 0\n  days = -1\n}\n", "", []string{
			`imago.hcl:4:3: a retention block needs keep (how many), days (how long), or both`,
			`imago.hcl:7:10: keep is 0; it must be a whole number from 1 to 1000000`,
			`imago.hcl:8:10: days is -1; it must be a whole number from 1 to 36500`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := write(t, "imago.hcl", tt.text, "t.json", "{}")
			_, err := read(dir, project.Options{Environment: tt.env})
			if err == nil {
				t.Fatal("it is taken")
			}
			var got []string
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "  ") { // an excerpt
					got = append(got, strings.TrimSuffix(line, "\n"))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestExcerpt: the line is shown, and the place in it; what is sensitive is not.
func TestExcerpt(t *testing.T) {
	dir := write(t, "t.json", "{}", "imago.hcl", "application = \"shop\"\nvariable \"k\" {\n  default = \"hunter2\"\n  sensitive = true\n}\nimage \"web\" {\n\ttemplate = \"hunter2\"\n}\n")
	_, err := read(dir, project.Options{})
	want := "imago.hcl:7:13: template <sensitive> does not exist\n  7 | \ttemplate = \"<sensitive>\"\n    | \t           ^^^^^^^^^"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}
