base    = "ami-0123456789abcdef0"
release = null
