package template

// Blocks lists the blocks that a component, or a block of one, may hold in HCL2. All else that it may hold are arguments.
func Blocks(component string) []string { return nested(component) }
