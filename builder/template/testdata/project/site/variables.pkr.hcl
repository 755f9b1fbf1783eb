variables {
  team = "web"
}

variable "environments" {
  description = "What images are made for, and how big their disks are."
  type = map(object({
    size      = number
    encrypted = optional(bool, true)
  }))
  default = {
    staging    = { size = 8, encrypted = false }
    production = { size = 20 }
  }
}

variable "base" {
  type = string
  validation {
    condition     = can(regex("^ami-[0-9a-f]+$", var.base))
    error_message = "The base must be the id of an image."
  }
}

variable "token" {
  type      = string
  default   = ""
  sensitive = true
}

variable "release" {
  type     = string
  default  = "none"
  nullable = false
}

variable "packages" {
  type    = set(string)
  default = ["nginx", "curl", "nginx"]
}
