variable "INSTANCE_USER" {
  type    = string
  default = "admin"
}

variable "NVM_VERSION" {
  type    = string
  default = "v0.24.1"
}

variable "NODE_VERSION" {
  type    = string
  default = "0.10.38"
}

source "amazon-ebs" "primal" {
  region        = "us-east-1"
  source_ami    = "ami-22de994a"
  instance_type = "t1.micro"
  ssh_username  = var.INSTANCE_USER
  ami_name      = "sample-primal {{timestamp}}"
}

build {
  sources = ["source.amazon-ebs.primal"]

  provisioner "file" {
    source      = "deploy/mailtube"
    destination = "/tmp/mailtube"
  }

  provisioner "shell" {
    script = "deploy/templates/primal"
    environment_vars = [
      "INSTANCE_USER=${var.INSTANCE_USER}",
      "NVM_VERSION=${var.NVM_VERSION}",
      "NODE_VERSION=${var.NODE_VERSION}",
    ]
  }
}
