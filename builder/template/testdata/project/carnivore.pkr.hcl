variable "NODE_ENV" {
  type    = string
  default = "staging"
}

variable "SERVER_NAME" {
  type    = string
  default = "localhost"
}

variable "INSTANCE_USER" {
  type    = string
  default = "admin"
}

variable "NGINX_WORKERS" {
  type    = number
  default = 4
}

variable "SOURCE_ID" {
  type = string
}

locals {
  name = "sample-${var.NODE_ENV}"
}

source "amazon-ebs" "carnivore" {
  region        = "us-east-1"
  source_ami    = var.SOURCE_ID
  instance_type = "t1.micro"
  ssh_username  = var.INSTANCE_USER
  ami_name      = "${local.name} ${rfc3339_parse(timestamp()).unix}"
}

build {
  sources = ["amazon-ebs.carnivore"]

  provisioner "file" {
    source      = "tmp/appserver"
    destination = "/tmp/appserver"
  }

  provisioner "shell" {
    script = "deploy/templates/carnivore"
    environment_vars = [
      for name, value in {
        NAME          = local.name
        NODE_ENV      = var.NODE_ENV
        SERVER_NAME   = var.SERVER_NAME
        INSTANCE_USER = var.INSTANCE_USER
        NGINX_WORKERS = var.NGINX_WORKERS
      } : "${name}=${value}"
    ]
  }
}
