# The images of {APP}, and what they are made for. imago bake bakes those whose
# inputs have changed; imago help project says what else may stand here.
application         = "{APP}"
default_environment = "staging"

variable "SOURCE_ID" {
  description = "a Debian or Ubuntu image of your region"
  default     = "ami-22de994a"
}

variable "NODE_SOURCE" {
  description = "npm, tarball, apt or nvm (imago help quickstart)"
  default     = "npm"
}

variable "NODE_VERSION" {
  default = "22"
}

variable "NPM_REGISTRY" {
  description = "empty: npm's own"
  default     = ""
}

# The base image, which changes rarely.
image "primal" {
  template = "deploy/templates/primal.json"
  vars = {
    SOURCE_ID    = var.SOURCE_ID
    NODE_SOURCE  = var.NODE_SOURCE
    NODE_VERSION = var.NODE_VERSION
    NPM_REGISTRY = var.NPM_REGISTRY
  }
}

# One release of the application, on top of it.
image "carnivore" {
  from          = "primal"
  from_variable = "SOURCE_ID"
  template      = "deploy/templates/carnivore.json"
  vars = {
    NODE_ENV     = environment.name
    NPM_REGISTRY = var.NPM_REGISTRY
  }

  # What is run here first: npm run build, say. It fills what the template uploads.
  build {
    command = "mkdir -p tmp && rm -rf tmp/appserver && cp -R app tmp/appserver"
    inputs  = ["app/**"]
    output  = "tmp/appserver"
  }
}

environment "development" {}

# imago setup makes what an environment stands on, imago deploy releases to it
# (imago help deploy).
environment "staging" {
  deploy {
    instance_type = "t3.micro"
  }
}

environment "production" {
  deploy {
    instance_type = "t3.small"
    min           = 2
  }
}

retention {
  keep = 5
}
