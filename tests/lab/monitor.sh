#!/bin/bash
# monitor.sh COMMAND - one QEMU monitor command (info network, hostfwd_add ..., savevm X) for the arm64 machine.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
exec perl -MIO::Socket::UNIX -e '
  my $s = IO::Socket::UNIX->new(Peer => shift) or die "connect: $!\n"; alarm 300;
  my $get = sub { my $t = ""; while (sysread($s, my $b, 65536)) { $t .= $b; last if $t =~ /\(qemu\) $/ } $t };
  $get->(); print $s "@ARGV\n"; my $t = $get->();
  $t =~ s/\e\[[0-9;]*[A-Za-z]//g; $t =~ s/^.*?\n//; $t =~ s/\(qemu\) $//; $t =~ s/\r//g; print $t;
' "$LAB_RUN/monitor.sock" "$@"
