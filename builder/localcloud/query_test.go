package localcloud

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// decodeQuery reads a body as the cloud does, asks what would come of it, and
// returns the answer. Nothing happens: each call is a dry run.
func (c *testCloud) decodeQuery(body string) (code string, answer []byte) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	form, err := formOf(r, []byte(body))
	if err == nil {
		form.Set("DryRun", "true")
		_, err = c.perform(newRequest(context.Background(), "us-east-1", form), ec2Actions())
	}
	w := httptest.NewRecorder()
	respondFault(w, newRequestID(), faultOf(err))
	return faultOf(err).Code, w.Body.Bytes()
}

// FuzzQuery: whatever a call says, the answer is one of AWS's faults in XML that
// can be read, or that it would have been done.
func FuzzQuery(f *testing.F) {
	for _, body := range []string{
		"", "Action", "Action=DescribeInstances&Version=2016-11-15", "Action=Run&Action=Stop", "%", "Action=%00&=&.=1&1=.", "Action=DescribeImages&Owner.1=self&Owner.01=x",
		"Action=RunInstances&ImageId=ami-22de994a&MinCount=1&MaxCount=1&InstanceType=t3.micro&ClientToken=x&UserData=%25&KeyName=k",
		"Action=RunInstances&ImageId=ami-22de994a&MinCount=-1&MaxCount=9999999999999999999&NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.SubnetId=subnet-1",
		"Action=RunInstances&ImageId=ami-22de994a&MinCount=1&MaxCount=1&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsda1&BlockDeviceMapping.1.Ebs.VolumeSize=-5&BlockDeviceMapping.2.NoDevice=",
		"Action=RunInstances&ImageId=ami-22de994a&MinCount=1&MaxCount=1&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=%ff&TagSpecification.1.Tag.1.Value=%3C",
		"Action=DescribeInstances&Filter.1.Name=tag%3Aa&Filter.1.Value.1=*%3F%5B%5C&Filter.2.Name=instance-id&Filter.2.Value.1=**********x&MaxResults=5&NextToken=x",
		"Action=AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=a&IpPermissions.1.IpRanges.1.CidrIp=1.2.3.4%2F33",
		"Action=ImportKeyPair&KeyName=k&PublicKeyMaterial=c3NoLWVkMjU1MTkgQUFBQQ%3D%3D", "Action=CreateVolume&Size=99999999999&AvailabilityZone=us-east-1a&Iops=1",
		"Action=CreateTags&ResourceId.1=ami-22de994a&Tag.1.Key=aws%3Ax", "Action=ModifyImageAttribute&ImageId=ami-22de994a&LaunchPermission.Add.1.UserId=x&Attribute=y",
		"Action=CopyImage&SourceRegion=eu-west-1&SourceImageId=ami-22de994a&Name=%F0%9F%90%9F", "Action=RegisterImage&Name=x&BlockDeviceMapping.1.Ebs.SnapshotId=snap-1&Architecture=z80",
	} {
		f.Add(body)
	}
	c := openTest(f)
	if _, err := c.AddImage(f.Context(), ImageSpec{Suite: "debian-12", ID: "ami-22de994a"}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		code, answer := c.decodeQuery(body)
		if code == "" || code == "InternalError" {
			t.Errorf("the answer to %q is %q: %s", body, code, answer)
		}
		for d := xml.NewDecoder(strings.NewReader(string(answer))); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, answer)
			}
		}
	})
}

// TestTooManyParameters: a call does not keep the others waiting.
func TestTooManyParameters(t *testing.T) {
	c := openTest(t)
	many := func(n int) string {
		return "Action=DescribeInstances" + strings.Repeat("&Filter.1.Name=x", n-1)
	}
	for n, want := range map[int]string{maxParameters: "InvalidParameterValue", maxParameters + 1: "MalformedQueryString"} {
		if code, answer := c.decodeQuery(many(n)); code != want {
			t.Errorf("%d parameters: %s, want %s", n, answer, want)
		}
	}
}

// FuzzAuthorization: no header makes the cloud believe a stranger, or stumble.
func FuzzAuthorization(f *testing.F) {
	for _, header := range []string{
		"", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
		"AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/ec2/aws4_request,SignedHeaders=;;,Signature=,", "AWS4-HMAC-SHA256 Credential=////aws4_request",
		"Basic QUtJRDpzZWNyZXQ=",
	} {
		f.Add(header, "20260101T000000Z")
	}
	keys := credentials{"AKID", "secret"}
	f.Fuzz(func(t *testing.T, header, date string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Authorization", header)
		r.Header.Set("X-Amz-Date", date)
		now, err := time.Parse(amzTime, date) // so that the time is never what is wrong
		if err != nil {
			now = time.Unix(0, 0)
		}
		if _, err := keys.verify(r, nil, now); err == nil {
			t.Errorf("%q of %q is believed", header, date)
		}
	})
}
