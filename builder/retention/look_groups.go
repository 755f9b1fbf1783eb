package retention

import "context"

func (l *looking) configurations(ctx context.Context) ([]Configuration, error) {
	all, err := l.cloud.Scaling.LaunchConfigurations(ctx)
	if err != nil {
		return nil, l.denied("autoscaling:DescribeLaunchConfigurations", err)
	}
	known := map[string]string{}
	for i := range all {
		if all[i].Image, err = l.resolved(ctx, all[i].Image, known); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (l *looking) groups(ctx context.Context) ([]AutoScalingGroup, error) {
	all, err := l.cloud.Scaling.AutoScalingGroups(ctx)
	if err != nil {
		return nil, l.denied("autoscaling:DescribeAutoScalingGroups", err)
	}
	known := map[string]string{}
	for i := range all {
		for j := range all[i].Images {
			if all[i].Images[j], err = l.resolved(ctx, all[i].Images[j], known); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}
