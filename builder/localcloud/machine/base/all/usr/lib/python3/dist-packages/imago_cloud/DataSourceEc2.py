"""cloud-init's own Ec2 data source, sure of its cloud.

It asks for session tokens (IMDSv2) only where the firmware says Amazon, and in a container it does not look at the
firmware. The data source itself is cloud-init's, unchanged.
"""

from cloudinit import sources
from cloudinit.sources import DataSourceEc2 as ec2


class DataSourceEc2(ec2.DataSourceEc2):
    def _get_cloud_name(self):
        return ec2.CloudNames.AWS


def get_datasource_list(depends):
    needs = (sources.DEP_FILESYSTEM, sources.DEP_NETWORK)
    return sources.list_from_depends(depends, [(DataSourceEc2, needs)])
