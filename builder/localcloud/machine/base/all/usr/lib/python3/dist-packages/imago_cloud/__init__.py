"""What cloud-init must be told about imago's local machines."""
