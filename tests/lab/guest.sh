#!/bin/bash
# guest.sh COMMAND... - runs a shell command line as root inside the arm64 machine (over a virtio
# console, no network and no Docker involved); prints its output, returns its status.
#   guest.sh /etc/lab/x86 rosetta      switch the amd64 emulator's identity (qemu|rosetta|none)
#   guest.sh tail /var/log/dockerd.log
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ -S "$LAB_RUN/agent.sock" ] || die "the arm64 machine is not running"
exec perl -MIO::Socket::UNIX -e '
  my ($path, $limit, $cmd) = @ARGV;
  my $s = IO::Socket::UNIX->new(Peer => $path) or die "connect $path: $!\n";
  $SIG{ALRM} = sub { print STDERR "guest.sh: no answer within $limit s\n"; exit 124 }; alarm $limit;
  my $id = "$$." . time;                       # skips the late output of an earlier command
  $cmd =~ s/\n/ /g;
  print $s "echo; echo \"<<$id>>\"; $cmd\n";
  my ($buf, $on) = ("", 0);
  while (sysread($s, my $b, 65536)) {
    $buf .= $b;
    if (!$on && $buf =~ s/^.*?<<\Q$id\E>>\r?\n//s) { $on = 1 }
    if ($on && $buf =~ /^(.*?)\r?\n<<rc=(\d+)>>\r?\n/s) { print $1, length $1 ? "\n" : ""; exit $2 }
  }
  exit 125;' "$LAB_RUN/agent.sock" "${LAB_GUEST_TIMEOUT:-120}" "$*"
