package localcloud

import (
	"cmp"
	"slices"
	"strings"
)

// instanceType is what DescribeInstanceTypes says of a type. The machines of
// the local cloud are all alike: they share this computer.
type instanceType struct {
	name   string
	vCPUs  int
	memory int // MiB
	family family
}

// family is what the sizes of a type have in common.
type family struct {
	name      string
	arch      string
	clock     float64 // GHz
	old       bool    // not of the current generation
	burstable bool
	xen       bool // else nitro
	cpus      int  // logical CPUs of a core
	maker     string
	sizes     string // "micro:1:1024 small:1:2048": name, vCPUs, MiB
}

// instanceTypes is all types, sorted by name.
func instanceTypes() []instanceType {
	var all []instanceType
	for _, f := range families() {
		for size := range strings.FieldsSeq(f.sizes) {
			name, numbers, _ := strings.Cut(size, ":")
			vCPUs, memory, _ := strings.Cut(numbers, ":")
			all = append(all, instanceType{f.name + "." + name, wholeNumber(vCPUs), wholeNumber(memory), f})
		}
	}
	slices.SortFunc(all, func(a, b instanceType) int { return cmp.Compare(a.name, b.name) })
	return all
}

// wholeNumber reads the digits of the table above, which has nothing else.
func wholeNumber(text string) (n int) {
	for _, digit := range text {
		n = n*10 + int(digit-'0')
	}
	return n
}

func knownInstanceType(name string) bool {
	return slices.ContainsFunc(instanceTypes(), func(t instanceType) bool { return t.name == name })
}

func (t instanceType) hypervisor() string {
	if t.family.xen {
		return "xen"
	}
	return "nitro"
}

func (t instanceType) free() bool { return t.name == "t2.micro" || t.name == "t3.micro" }

func (t instanceType) enaSupport() string {
	if t.family.xen {
		return "unsupported"
	}
	return "required"
}

// architectures is those a type runs; old ones run 32 bits too.
func (t instanceType) architectures() []string {
	if slices.Contains([]string{"t1", "t2", "m1", "m3", "c3"}, t.family.name) && t.memory < 8192 {
		return []string{"i386", t.family.arch}
	}
	return []string{t.family.arch}
}

func (t instanceType) virtualizations() []string {
	if t.family.old {
		return []string{"hvm", "paravirtual"}
	}
	return []string{"hvm"}
}
