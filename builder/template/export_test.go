package template

// Watch has f told which options of which components are asked for while a template is read with o.
func Watch(o *Options, f func(component string, asked map[string]bool)) { o.watch = f }
