# What everything.json says, in the other language: both must come to the same.
packer {
  required_version = ">= 1.6.0, < 2.0.0"
}

variable "size" {
  type    = number
  default = 30
}

variable "yes" {
  type    = bool
  default = true
}

variable "regions" {
  type    = list(string)
  default = ["eu-west-1", "eu-central-1"]
}

variable "owner" {
  default = env("OWNER")
}

variable "secret" {
  type      = string
  default   = "hunter2"
  sensitive = true
}

locals {
  title = "${var.owner} ${formatdate("YYYY-MM-DD", timestamp())}"
  json  = "{\"a\": {\"b\": 1}}"
}

source "amazon-ebs" "web" {
  access_key              = "AKIDEXAMPLE"
  secret_key              = var.secret
  token                   = "tok"
  region                  = "us-east-1"
  profile                 = "bakery"
  shared_credentials_file = "~/.aws/other"
  assume_role {
    role_arn            = "arn:aws:iam::1:role/r"
    session_name        = "s"
    external_id         = "e"
    policy              = "{}"
    duration_seconds    = 900
    transitive_tag_keys = ["k"]
  }
  custom_endpoint_ec2      = "http://127.0.0.1:4000"
  insecure_skip_tls_verify = true
  max_retries              = 3

  source_ami_filter {
    filters = {
      name         = "debian-12-amd64-*"
      architecture = "x86_64"
    }
    owners             = ["136693071363", "self"]
    most_recent        = true
    include_deprecated = true
  }
  instance_type = "t3.small"
  run_tags = {
    Owner = var.owner
    Base  = "{{ .SourceAMI }} by ${var.owner}"
  }
  run_volume_tag {
    key   = "Volume"
    value = "yes"
  }
  user_data_file          = "user-data"
  iam_instance_profile    = "baker"
  skip_profile_validation = true
  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_type           = "gp3"
    volume_size           = var.size
    iops                  = 3000
    throughput            = 125
    encrypted             = var.yes
    kms_key_id            = "alias/k"
    delete_on_termination = true
  }
  ebs_optimized            = true
  shutdown_behavior        = "terminate"
  spot_price               = "auto"
  spot_tags                = { Spot = 1 }
  disable_stop_instance    = false
  enable_unlimited_credits = true
  placement {
    tenancy                 = "dedicated"
    host_id                 = "h-1"
    host_resource_group_arn = "arn:aws:resource-groups:r"
  }
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
    instance_metadata_tags      = "enabled"
  }

  vpc_id    = "vpc-1"
  subnet_id = "subnet-1"
  vpc_filter {
    filters = { "tag:Class" = "build" }
  }
  subnet_filter {
    filter {
      name  = "tag:Class"
      value = "build"
    }
    most_free = true
  }
  availability_zone           = "us-east-1a"
  associate_public_ip_address = var.yes
  security_group_ids          = ["sg-1", "sg-2"]
  security_group_filter {
    filters = { "tag:Class" = "build" }
  }
  temporary_security_group_source_cidrs = ["192.0.2.0/24"]

  communicator                 = "ssh"
  ssh_username                 = "admin"
  ssh_host                     = "192.0.2.7"
  ssh_port                     = 2222
  ssh_interface                = "private_ip"
  ssh_password                 = "pw"
  ssh_keypair_name             = "pair"
  ssh_private_key_file         = "key"
  temporary_key_pair_type      = "rsa"
  temporary_key_pair_bits      = 4096
  temporary_key_pair_name      = "temp"
  ssh_agent_auth               = true
  ssh_timeout                  = "7m"
  ssh_handshake_attempts       = 20
  pause_before_connecting      = "10s"
  ssh_pty                      = true
  ssh_keep_alive_interval      = "5s"
  ssh_ciphers                  = ["aes128-gcm@openssh.com"]
  ssh_key_exchange_algorithms  = ["curve25519-sha256"]
  ssh_clear_authorized_keys    = true
  ssh_bastion_host             = "bastion.example.com"
  ssh_bastion_username         = "jump"
  ssh_bastion_private_key_file = "key"
  ssh_proxy_host               = "proxy.example.com"
  ssh_proxy_username           = "u"
  ssh_proxy_password           = "p"

  ami_name        = "web-{{isotime | clean_resource_name}}"
  ami_description = "made from {{ .SourceAMIName }} by ${upper(var.owner)}"
  tags = {
    Base   = "{{.SourceAMITags.Name}}"
    Json   = local.json
    Braces = "{{`{{`}}"
    Number = 1
    Truth  = "1"
  }
  snapshot_tag {
    key   = "Snap"
    value = "{{build_name}}"
  }
  ami_regions = var.regions
  region_kms_key_ids = {
    eu-west-1    = "alias/eu"
    eu-central-1 = ""
    us-east-1    = ""
  }
  ami_block_device_mappings {
    device_name  = "/dev/sdb"
    no_device    = true
    virtual_name = "ephemeral0"
    snapshot_id  = "snap-1"
  }
  ami_users               = ["111111111111"]
  ami_groups              = ["all"]
  ami_org_arns            = ["arn:o"]
  ami_ou_arns             = ["arn:ou"]
  ami_product_codes       = ["code"]
  snapshot_users          = ["222222222222"]
  snapshot_groups         = ["all"]
  ami_virtualization_type = "hvm"
  ena_support             = true
  sriov_support           = true
  encrypt_boot            = true
  kms_key_id              = "alias/image"
  imds_support            = "v2.0"
  deprecate_at            = "2030-01-31T00:00:00Z"
  force_deregister        = true
  force_delete_snapshot   = true
  skip_create_ami         = false
  skip_ami_run_tags       = true
  aws_polling {
    delay_seconds = 30
    max_attempts  = 50
  }
}

source "amazon-ebs" "plain" {
  region            = "eu-west-1"
  source_ami        = "ami-1"
  instance_type     = "t3.micro"
  security_group_id = "sg-9"
  ssh_username      = "admin"
  ami_name          = "{{build_name}}-${source.type}-{{timestamp}}"
}

build {
  description = "all of it"
  sources     = ["source.amazon-ebs.web"]

  source "amazon-ebs.plain" {
    user_data = <<-EOT
      #cloud-config
      fqdn: ${source.name}
    EOT
  }

  provisioner "file" {
    sources     = ["user-data", "deploy/mailtube/"]
    destination = "/tmp/"
    only        = ["amazon-ebs.web"]
    max_retries = 2
    timeout     = "1m"
  }
  provisioner "file" {
    content     = local.json
    destination = "/tmp/a.json"
  }
  provisioner "file" {
    source      = "made-later"
    generated   = true
    destination = "/tmp/x"
    except      = ["amazon-ebs.plain"]
  }
  provisioner "file" {
    direction   = "download"
    source      = "/var/log/cloud-init.log"
    destination = "logs/"
  }
  provisioner "shell" {
    inline           = ["echo one, two", "echo ${var.owner}"]
    environment_vars = ["B=2=3", "A=${var.owner}"]
    env              = { C = 3 }
    execute_command  = "sudo -E {{ .Vars }} bash '{{.Path}}' {{build_name}} ${local.json}"
    pause_before     = "10s"
    override = {
      plain = { inline = ["echo plain on ${build.Host}"] }
    }
  }
  provisioner "shell" {
    scripts             = ["deploy/templates/primal", "deploy/templates/carnivore"]
    binary              = true
    env_var_format      = "%s=\"%s\" "
    use_env_var_file    = true
    remote_folder       = "/var/tmp"
    remote_file         = "s.sh"
    skip_clean          = true
    valid_exit_codes    = [0, 3]
    expect_disconnect   = true
    start_retry_timeout = "1m"
    pause_after         = "2s"
    only                = ["amazon-ebs.web"]
  }
  provisioner "shell" {
    inline_shebang = "/bin/bash -eux"
    inline         = ["#!/bin/false\necho"]
    remote_path    = "/tmp/s.sh"
    only           = ["amazon-ebs.web"]
  }
  provisioner "shell" {
    inline = ["#!/usr/bin/env python3", "print(1)"]
    only   = ["amazon-ebs.web"]
  }
  provisioner "sleep" {
    duration = "3s"
    only     = ["amazon-ebs.web"]
  }
  provisioner "breakpoint" {
    note = "look"
    only = ["amazon-ebs.web"]
  }
  provisioner "breakpoint" {
    disable = true
  }
  error-cleanup-provisioner "shell" {
    inline = ["journalctl -b"]
    only   = ["amazon-ebs.web"]
  }

  post-processor "manifest" {}
  post-processors {
    post-processor "manifest" {
      name        = "second"
      output      = "{{build_name}}.json"
      strip_path  = true
      strip_time  = true
      custom_data = { id = build.ID, owner = var.owner }
      except      = ["amazon-ebs.plain"]
    }
  }
}
