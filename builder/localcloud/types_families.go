package localcloud

import "slices"

// The sizes of most families are alike from large up.
const (
	general = "large:2:8192 xlarge:4:16384 2xlarge:8:32768 4xlarge:16:65536 8xlarge:32:131072 12xlarge:48:196608 16xlarge:64:262144 24xlarge:96:393216"
	compute = "large:2:4096 xlarge:4:8192 2xlarge:8:16384 4xlarge:16:32768 8xlarge:32:65536 12xlarge:48:98304 16xlarge:64:131072 24xlarge:96:196608"
	memory  = "large:2:16384 xlarge:4:32768 2xlarge:8:65536 4xlarge:16:131072 8xlarge:32:262144 12xlarge:48:393216 16xlarge:64:524288 24xlarge:96:786432"
	small   = "nano:2:512 micro:2:1024 small:2:2048 medium:2:4096 "
	burst   = small + "large:2:8192 xlarge:4:16384 2xlarge:8:32768"
)

// families are those that templates name: of each generation the common ones, and those with disks, much memory or
// graphics of their own.
func families() []family {
	return slices.Concat(oldFamilies(), burstableFamilies(), intelFamilies(), amdFamilies(), gravitonFamilies(), graphicsFamilies())
}

// oldFamilies run on Xen.
func oldFamilies() []family {
	old := func(name, sizes string) family {
		return family{name: name, arch: "x86_64", old: true, xen: true, cpus: 2, clock: 2.6, maker: "Intel", sizes: sizes}
	}
	all := []family{
		{name: "t1", arch: "x86_64", old: true, xen: true, cpus: 1, maker: "Intel", sizes: "micro:1:627"},
		{name: "m1", arch: "x86_64", old: true, xen: true, cpus: 1, maker: "Intel", sizes: "small:1:1740 medium:1:3788 large:2:7680 xlarge:4:15360"},
		{name: "m4", arch: "x86_64", xen: true, cpus: 2, clock: 2.4, maker: "Intel", sizes: "large:2:8192 xlarge:4:16384 2xlarge:8:32768 4xlarge:16:65536 10xlarge:40:163840 16xlarge:64:262144"},
		{name: "c4", arch: "x86_64", xen: true, cpus: 2, clock: 2.9, maker: "Intel", sizes: "large:2:3840 xlarge:4:7680 2xlarge:8:15360 4xlarge:16:30720 8xlarge:36:61440"},
		{name: "r4", arch: "x86_64", xen: true, cpus: 2, clock: 2.3, maker: "Intel", sizes: "large:2:15616 xlarge:4:31232 2xlarge:8:62464 4xlarge:16:124928 8xlarge:32:249856 16xlarge:64:499712"},
		{name: "i3", arch: "x86_64", xen: true, cpus: 2, clock: 2.3, maker: "Intel", sizes: "large:2:15616 xlarge:4:31232 2xlarge:8:62464 4xlarge:16:124928 8xlarge:32:249856 16xlarge:64:499712"},
		{name: "d2", arch: "x86_64", xen: true, cpus: 2, clock: 2.4, maker: "Intel", sizes: "xlarge:4:31232 2xlarge:8:62464 4xlarge:16:124928 8xlarge:36:249856"},
		{name: "x1", arch: "x86_64", xen: true, cpus: 2, clock: 2.3, maker: "Intel", sizes: "16xlarge:64:999424 32xlarge:128:1998848"},
	}
	return append(all,
		old("m2", "xlarge:2:17510 2xlarge:4:35020 4xlarge:8:70041"), old("c1", "medium:2:1740 xlarge:8:7168"),
		old("m3", "medium:1:3840 large:2:7680 xlarge:4:15360 2xlarge:8:30720"),
		old("c3", "large:2:3840 xlarge:4:7680 2xlarge:8:15360 4xlarge:16:30720 8xlarge:32:61440"),
		old("r3", "large:2:15360 xlarge:4:31232 2xlarge:8:62464 4xlarge:16:124928 8xlarge:32:249856"),
		old("i2", "xlarge:4:31232 2xlarge:8:62464 4xlarge:16:124928 8xlarge:32:249856"))
}

func burstableFamilies() []family {
	return []family{
		{name: "t2", arch: "x86_64", burstable: true, xen: true, cpus: 1, clock: 2.3, maker: "Intel", sizes: "nano:1:512 micro:1:1024 small:1:2048 medium:2:4096 large:2:8192 xlarge:4:16384 2xlarge:8:32768"},
		{name: "t3", arch: "x86_64", burstable: true, cpus: 2, clock: 2.5, maker: "Intel", sizes: burst},
		{name: "t3a", arch: "x86_64", burstable: true, cpus: 2, clock: 2.2, maker: "AMD", sizes: burst},
		{name: "t4g", arch: "arm64", burstable: true, cpus: 1, clock: 2.5, maker: "AWS", sizes: burst},
	}
}

func intelFamilies() []family {
	intel := func(name string, clock float64, sizes string) family {
		return family{name: name, arch: "x86_64", cpus: 2, clock: clock, maker: "Intel", sizes: sizes}
	}
	const (
		compute5 = "large:2:4096 xlarge:4:8192 2xlarge:8:16384 4xlarge:16:32768 9xlarge:36:73728 12xlarge:48:98304 18xlarge:72:147456 24xlarge:96:196608"
		network5 = "large:2:5376 xlarge:4:10752 2xlarge:8:21504 4xlarge:16:43008 9xlarge:36:98304 18xlarge:72:196608"
		metal    = " metal:96:393216"
	)
	return []family{
		intel("m5", 3.1, general+metal), intel("m5d", 3.1, general+metal), intel("m5n", 3.1, general+metal),
		intel("m6i", 3.5, general), intel("m6id", 3.5, general), intel("m6in", 3.5, general), intel("m7i", 3.2, general), intel("m7i-flex", 3.2, general),
		intel("c5", 3.4, compute5), intel("c5d", 3.4, compute5), intel("c5n", 3.4, network5),
		intel("c6i", 3.5, compute), intel("c6id", 3.5, compute), intel("c6in", 3.5, compute), intel("c7i", 3.2, compute), intel("c7i-flex", 3.2, compute),
		intel("r5", 3.1, memory), intel("r5b", 3.1, memory), intel("r5d", 3.1, memory), intel("r5n", 3.1, memory),
		intel("r6i", 3.5, memory), intel("r6id", 3.5, memory), intel("r7i", 3.2, memory),
		intel("i3en", 3.1, memory), intel("i4i", 3.5, memory), intel("z1d", 4.0, memory),
	}
}

func amdFamilies() []family {
	amd := func(name string, cpus int, clock float64, sizes string) family {
		return family{name: name, arch: "x86_64", cpus: cpus, clock: clock, maker: "AMD", sizes: sizes}
	}
	return []family{
		amd("m5a", 2, 2.5, general), amd("m5ad", 2, 2.5, general), amd("m6a", 2, 3.6, general), amd("m7a", 1, 3.7, "medium:1:4096 "+general),
		amd("c5a", 2, 3.3, compute), amd("c5ad", 2, 3.3, compute), amd("c6a", 2, 3.6, compute), amd("c7a", 1, 3.7, "medium:1:2048 "+compute),
		amd("r5a", 2, 2.5, memory), amd("r6a", 2, 3.6, memory), amd("r7a", 1, 3.7, "medium:1:8192 "+memory),
	}
}

func gravitonFamilies() []family {
	arm := func(name string, clock float64, sizes string) family {
		return family{name: name, arch: "arm64", cpus: 1, clock: clock, maker: "AWS", sizes: sizes}
	}
	const m, c, r = "medium:1:4096 " + general, "medium:1:2048 " + compute, "medium:1:8192 " + memory
	return []family{
		arm("a1", 2.3, "medium:1:2048 large:2:4096 xlarge:4:8192 2xlarge:8:16384 4xlarge:16:32768 metal:16:32768"),
		arm("m6g", 2.5, m), arm("m6gd", 2.5, m), arm("m7g", 2.6, m), arm("m7gd", 2.6, m), arm("m8g", 2.8, m),
		arm("c6g", 2.5, c), arm("c6gd", 2.5, c), arm("c6gn", 2.5, c), arm("c7g", 2.6, c), arm("c7gd", 2.6, c), arm("c7gn", 2.6, c), arm("c8g", 2.8, c),
		arm("r6g", 2.5, r), arm("r6gd", 2.5, r), arm("r7g", 2.6, r), arm("r8g", 2.8, r), arm("x2gd", 2.5, r), arm("i4g", 2.5, memory),
	}
}

// graphicsFamilies have graphics processors or ones for learning, which a machine of the local cloud has not.
func graphicsFamilies() []family {
	nitro := func(name, maker, sizes string) family {
		return family{name: name, arch: "x86_64", cpus: 2, clock: 2.5, maker: maker, sizes: sizes}
	}
	const four = "xlarge:4:16384 2xlarge:8:32768 4xlarge:16:65536 8xlarge:32:131072 12xlarge:48:196608 16xlarge:64:262144"
	return []family{
		{name: "g2", arch: "x86_64", old: true, xen: true, cpus: 2, clock: 2.6, maker: "Intel", sizes: "2xlarge:8:15360 8xlarge:32:61440"},
		{name: "g3", arch: "x86_64", xen: true, cpus: 2, clock: 2.3, maker: "Intel", sizes: "4xlarge:16:124928 8xlarge:32:249856 16xlarge:64:499712"},
		{name: "g3s", arch: "x86_64", xen: true, cpus: 2, clock: 2.3, maker: "Intel", sizes: "xlarge:4:31232"},
		{name: "p2", arch: "x86_64", xen: true, cpus: 2, clock: 2.3, maker: "Intel", sizes: "xlarge:4:62464 8xlarge:32:499712 16xlarge:64:749568"},
		{name: "p3", arch: "x86_64", xen: true, cpus: 2, clock: 2.3, maker: "Intel", sizes: "2xlarge:8:62464 8xlarge:32:249856 16xlarge:64:499712"},
		{name: "g5g", arch: "arm64", cpus: 1, clock: 2.5, maker: "AWS", sizes: "xlarge:4:8192 2xlarge:8:16384 4xlarge:16:32768 8xlarge:32:65536 16xlarge:64:131072"},
		nitro("g4dn", "Intel", four), nitro("g4ad", "AMD", four), nitro("g5", "AMD", four+" 24xlarge:96:393216 48xlarge:192:786432"),
		nitro("g6", "AMD", four+" 24xlarge:96:393216 48xlarge:192:786432"), nitro("p4d", "Intel", "24xlarge:96:1179648"), nitro("p5", "AMD", "48xlarge:192:2097152"),
		nitro("inf1", "Intel", "xlarge:4:8192 2xlarge:8:16384 6xlarge:24:49152 24xlarge:96:196608"),
		nitro("inf2", "AMD", "xlarge:4:16384 8xlarge:32:131072 24xlarge:96:393216 48xlarge:192:786432"),
		nitro("trn1", "Intel", "2xlarge:8:32768 32xlarge:128:524288"),
	}
}
