a   =   [1,2 , 3  ,]   # c1
bbb = foo( 1,2 )   // c2
c = {a=1,b = 2}
d = { a : 1 , b:2 }
e = ! true
f = - 1 + -2-3 *4/ 5%6
g = a?b:c
h = a . b [ 0 ] . * . c
i = a[*].b
j = "x${  var.a  }y %{ if true }z%{ else ~}w%{ endif }"
k = "x${~  var.a  ~}y %{~if true}z%{ endif }"
l = [for x in y:x if x>1]
m = {for k , v in y:k=>v...}
n = f(a...)
o = (1+2)*3
p = [ {a=1} , { } , [ ] ]
q = <<EOF
  x ${  var.a  } y %{ if true }z%{ endif ~}
EOF
r = x==y&&z!=w||!q
s = f (a)
foo   "bar"   baz   {
x=1
}
foo { x = 1 }
foo {}
foo { }
t = [
1,
    { a = 1 },
{
b=1
ccc=2
},
foo(
x,
)
]
u = [{
a=1
}, {
b=2
}]
v = foo(<<EOT
 hi
EOT
,2)
/* block
   comment */
w = 1 /* x */ + 2
/* c */ x = 1
y = {
"a" = 1
(b) = 2
"${c}d" = 3
e: 4
ffff : 5
}
z = a ? (
b) : c
aa = 1


bbbb = 2 # t
# own line
cc = 3   # u
   # indented
dd = "a" == "b" ? 1:2
t = [
 { a = 1 },
 { bbb = 1 },
]
foo { x = 1 }
foobar { yy = 1 }
q = 1
barbar = x == y ? { a = 1 } : {}
s = "${
  foo
    }x"
h = <<EOT
 ${
   foo
 }
 x
EOT
hh = <<-EOT
    a
    EOT
i = {
  a = 1,
  bbb = 2
}
j = (
a)  # c
kk = b # d
l = [ # x
1, # y
22222, # z
]
mm = { # c
a = 1 # d
}


  
n = [a,
b,
]
o = a.0 . b
p = foo . bar(1) [ 1 ]
q = [ -1, - 2 , ! a ]
r = a - -1
s = (-1)
t = a ? -1 : -2
u = { (a) = -1, "b" = !c }
v = "${-1}${!a}"
w = x [ "a" ] [*] .b
x = f( (1) ) 
y = a<b
z = -a.b*-c
a1 = [for s in [-1] : -s]
a2 = "a\n$${x}"
a3 = "%%{x}"
a4 = {
  a = 1, b = 2
}
a5 = true&&!false
a6 = "a" /* c */
a7 = 1 // end
a8 = a /* c */ . b
a9 = a[ /* c */ 0 ]
a10=[]
a11=f()
a12=f( )
a13 = ns::f(1)
a14=1e5
a15 = "${ "a" }"
a16 = "${ { a = 1 } }"
a17 = a[-1]
a18 = a==-1
a = [for x in y : x if (x)]
b = [for x in (y) : x if !x]
c = [for x in[1] : x if [1]]
c2 = [for x in {} : {x=1}]
d = "%{ for x in y }${ x }%{ endfor }"
e = "%{for x in[1]}%{ if !x }a%{endif}%{endfor}"
f = (a) [0]
g = f(x) [0]
h = [1] [0]
i = {a=1} ["a"]
j = "a" [0]
k = a ["b"]["c"]
l = {for x in y : (x) => -x if -x > 1}
m = -(1)
n = !(a)
o = ! ! a
p = - - 1
q = a ? [1] : [2]
r = (a) (b)
s = a ?-1:!b
t = {
a = 1
bbb = 2 }
u = {
a = 1, bbb = {
cc = 1 }
d = 3
}
v = [[1,
2],
[3]
]
w = f({
a = 1
})
x = f(a, {
a = 1
}, b)
z = 1
aé = 1 # x
bbb = 1 # y
for = 1
a "x" { b = 1 }
a = b == null ? null : true
a = x % y
a = a > -1
a = a >= - 1
a = [ for a in b : - a ]
a = f(-1, -a)
a = f(a, -a)
a = "${-a}" + -a
a = {-1 = 2}
a = a. b
a = 1.5
x = (
 # c
 a # d
   # e
 )
y = foo(/*x*/ a)
