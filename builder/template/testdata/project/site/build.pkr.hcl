packer {
  required_version = "~> 1.9"
  required_plugins {
    amazon = {
      version = ">= 1.2.8"
      source  = "github.com/hashicorp/amazon"
    }
  }
}

local "password" {
  expression = "pw-${sha256(var.token)}"
  sensitive  = true
}

locals {
  tags = merge({ Team = var.team }, { for n, e in var.environments : "Size${title(n)}" => e.size if e.size > 8 })
  motd = templatefile("${path.root}/files/motd.pkrtpl", { packages = var.packages, team = var.team })
}

source "amazon-ebs" "site" {
  region        = "eu-central-1"
  source_ami    = var.base
  instance_type = "t3.micro"
  ssh_username  = "admin"
  tags          = local.tags

  dynamic "run_tag" {
    for_each = local.tags
    iterator = t
    content {
      key   = lower(t.key)
      value = t.value
    }
  }
}

source "googlecompute" "site" {
  project_id = "nobody"
}

build {
  name        = "site"
  description = "One image for each environment"

  source "amazon-ebs.site" {
    name     = "staging"
    ami_name = "site-staging"
    launch_block_device_mappings {
      device_name = "/dev/xvda"
      volume_size = var.environments.staging.size
      encrypted   = var.environments["staging"].encrypted
    }
  }
  source "amazon-ebs.site" {
    name     = "production"
    ami_name = "site-production"
    launch_block_device_mappings {
      device_name = "/dev/xvda"
      volume_size = var.environments.production.size
      encrypted   = var.environments["production"].encrypted
    }
  }

  provisioner "file" {
    content     = local.motd
    destination = "/tmp/motd"
  }

  dynamic "provisioner" {
    for_each = sort(var.packages)
    labels   = ["shell"]
    content {
      inline = ["apt-get install -y ${provisioner.value}"]
      only   = provisioner.value == "curl" ? ["amazon-ebs.staging"] : null
    }
  }

  provisioner "shell" {
    environment_vars = ["ENVIRONMENT=${source.name}", "PASSWORD=${local.password}"]
    inline = [<<-EOT
      %{for n, e in var.environments~}
      echo ${n} ${e.size}
      %{endfor~}
      echo "${build.name} ${build.ID} ${length(var.packages)} ${try(var.environments.nowhere.size, "nowhere")}"
    EOT
    ]
  }

  post-processor "manifest" {
    output = "${path.root}/${source.name}.json"
  }
}

build {
  sources = ["source.googlecompute.site"]
  hcp_packer_registry {
    bucket_name = "site"
  }
}
