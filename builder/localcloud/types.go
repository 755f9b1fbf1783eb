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

func families() []family {
	const (
		// The sizes of most families are alike from large up.
		general = "large:2:8192 xlarge:4:16384 2xlarge:8:32768 4xlarge:16:65536"
		compute = "large:2:4096 xlarge:4:8192 2xlarge:8:16384 4xlarge:16:32768"
		memory  = "large:2:16384 xlarge:4:32768 2xlarge:8:65536 4xlarge:16:131072"
		small   = "nano:2:512 micro:2:1024 small:2:2048 medium:2:4096 "
		burst   = small + "large:2:8192 xlarge:4:16384 2xlarge:8:32768"
	)
	return []family{
		{name: "t1", arch: "x86_64", old: true, xen: true, cpus: 1, maker: "Intel", sizes: "micro:1:627"},
		{name: "m1", arch: "x86_64", old: true, xen: true, cpus: 1, maker: "Intel", sizes: "small:1:1740 medium:1:3788 large:2:7680 xlarge:4:15360"},
		{name: "m3", arch: "x86_64", old: true, xen: true, cpus: 2, clock: 2.5, maker: "Intel", sizes: "medium:1:3840 large:2:7680 xlarge:4:15360 2xlarge:8:30720"},
		{name: "m4", arch: "x86_64", xen: true, cpus: 2, clock: 2.4, maker: "Intel", sizes: "large:2:8192 xlarge:4:16384 2xlarge:8:32768 4xlarge:16:65536 10xlarge:40:163840"},
		{name: "c3", arch: "x86_64", old: true, xen: true, cpus: 2, clock: 2.8, maker: "Intel", sizes: "large:2:3840 xlarge:4:7680 2xlarge:8:15360 4xlarge:16:30720 8xlarge:32:61440"},
		{name: "c4", arch: "x86_64", xen: true, cpus: 2, clock: 2.9, maker: "Intel", sizes: "large:2:3840 xlarge:4:7680 2xlarge:8:15360 4xlarge:16:30720 8xlarge:36:61440"},
		{name: "t2", arch: "x86_64", burstable: true, xen: true, cpus: 1, clock: 2.3, maker: "Intel", sizes: "nano:1:512 micro:1:1024 small:1:2048 medium:2:4096 large:2:8192 xlarge:4:16384 2xlarge:8:32768"},
		{name: "t3", arch: "x86_64", burstable: true, cpus: 2, clock: 2.5, maker: "Intel", sizes: burst},
		{name: "t3a", arch: "x86_64", burstable: true, cpus: 2, clock: 2.2, maker: "AMD", sizes: burst},
		{name: "t4g", arch: "arm64", burstable: true, cpus: 1, clock: 2.5, maker: "AWS", sizes: burst},
		{name: "m5", arch: "x86_64", cpus: 2, clock: 3.1, maker: "Intel", sizes: general},
		{name: "m5a", arch: "x86_64", cpus: 2, clock: 2.5, maker: "AMD", sizes: general},
		{name: "m6i", arch: "x86_64", cpus: 2, clock: 3.5, maker: "Intel", sizes: general},
		{name: "m6a", arch: "x86_64", cpus: 2, clock: 3.6, maker: "AMD", sizes: general},
		{name: "m6g", arch: "arm64", cpus: 1, clock: 2.5, maker: "AWS", sizes: "medium:1:4096 " + general},
		{name: "m7i", arch: "x86_64", cpus: 2, clock: 3.2, maker: "Intel", sizes: general},
		{name: "m7g", arch: "arm64", cpus: 1, clock: 2.6, maker: "AWS", sizes: "medium:1:4096 " + general},
		{name: "c5", arch: "x86_64", cpus: 2, clock: 3.4, maker: "Intel", sizes: compute},
		{name: "c5a", arch: "x86_64", cpus: 2, clock: 3.3, maker: "AMD", sizes: compute},
		{name: "c6i", arch: "x86_64", cpus: 2, clock: 3.5, maker: "Intel", sizes: compute},
		{name: "c6a", arch: "x86_64", cpus: 2, clock: 3.6, maker: "AMD", sizes: compute},
		{name: "c6g", arch: "arm64", cpus: 1, clock: 2.5, maker: "AWS", sizes: "medium:1:2048 " + compute},
		{name: "c7i", arch: "x86_64", cpus: 2, clock: 3.2, maker: "Intel", sizes: compute},
		{name: "c7g", arch: "arm64", cpus: 1, clock: 2.6, maker: "AWS", sizes: "medium:1:2048 " + compute},
		{name: "r5", arch: "x86_64", cpus: 2, clock: 3.1, maker: "Intel", sizes: memory},
		{name: "r6i", arch: "x86_64", cpus: 2, clock: 3.5, maker: "Intel", sizes: memory},
		{name: "r6g", arch: "arm64", cpus: 1, clock: 2.5, maker: "AWS", sizes: "medium:1:8192 " + memory},
	}
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
