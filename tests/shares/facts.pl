# What a network file system does that the protocol stands on, seen from several machines with one clock.
#   create|link|rename FOLDER NODE START   tries to win each of 40 names, at the same moments as the other nodes
#   judge HOW RESULTS...                   each name must have one winner
#   make|watch FOLDER ...                  makes names and content; waits until they can be seen
#   delays MADE WATCHED                    how long that took
use strict;
use warnings;
use Errno ();
use Fcntl;
use Time::HiRes qw(time sleep);

my ($what, @arguments) = @ARGV;
my $rounds = 40;
$| = 1;

sub at { my $moment = shift; my $left = $moment - time; sleep $left if $left > 0.002; 1 while time < $moment; }

sub put {
    my ($path, $text, $flags) = @_;
    sysopen my $file, $path, O_WRONLY | O_CREAT | $flags, 0600 or return 0;
    syswrite $file, $text;
    return close $file;
}

sub get { open my $file, '<', shift or return undef; local $/; return scalar <$file>; }

# RENAME_NOREPLACE of renameat2(2); the number of the call is that of the processor.
sub rename_new {
    my ($from, $to) = @_;
    my $number = { x86_64 => 316, aarch64 => 276 }->{ `uname -m` =~ s/\s//r } // return 0;
    return syscall($number, -100, $from, -100, $to, 1) == 0;
}

# Drafts are named as the protocol names them: a distributed GlusterFS volume keeps .NAME.SUFFIX and NAME on one brick.
sub race {
    my ($folder, $node, $start) = @_;
    if ($what ne 'create') { put("$folder/.$_.$node", $node, O_EXCL) for 1 .. $rounds }
    for my $name (1 .. $rounds) {
        at($start + $name * 0.04);
        my $won = $what eq 'create' ? put("$folder/$name", $node, O_EXCL)
            : $what eq 'link' ? link("$folder/.$name.$node", "$folder/$name")
            : rename_new("$folder/.$name.$node", "$folder/$name");
        my $problem = $won ? '' : (grep { $!{$_} } qw(EEXIST EINVAL ENOSYS EPERM EOPNOTSUPP EIO))[0] // $! + 0;
        print "$name ", $won ? 'won' : $problem, "\n";
    }
}

sub judge {
    my ($how, @files) = @_;
    my (%winners, %answers);
    for my $path (@files) {
        open my $file, '<', $path or die "$path: $!";
        while (<$file>) {
            my ($name, $answer) = split;
            $answers{$answer}++;
            $winners{$name}++ if $answer eq 'won';
        }
    }
    my $one = grep { $_ == 1 } values %winners;
    my $text = { create => 'exclusive creation', link => 'hard link to a name that may exist', rename => 'rename that replaces nothing' }->{$how};
    print "  $text: ", scalar(@files), " nodes, $rounds names, $one with one winner (answers: ", join(', ', map { "$answers{$_} $_" } sort keys %answers), ")\n";
    # The protocol uses no such rename; what is said of it is for the reader.
    exit($how eq 'rename' || $one == $rounds ? 0 : 1);
}

sub make {
    my ($folder, undef, $start) = @_;
    at($start);
    for my $part (['name', sub { put("$folder/names/new", 'x', O_EXCL) }], ['listing', sub { put("$folder/listing/new", 'x', O_EXCL) }], ['content', sub { put("$folder/content/file", 'new content', O_TRUNC) }]) {
        $part->[1]->();
        printf "%s %.4f\n", $part->[0], time;
    }
}

sub watch {
    my ($folder) = @_;
    my %seen = (
        name => sub { -e "$folder/names/new" },
        listing => sub { opendir my $d, "$folder/listing" or return 0; grep { $_ eq 'new' } readdir $d },
        content => sub { (get("$folder/content/file") // '') eq 'new content' },
    );
    my $end = time + 70;
    while (%seen && time < $end) {
        for my $part (keys %seen) {
            next unless $seen{$part}->();
            printf "%s %.4f\n", $part, time;
            delete $seen{$part};
        }
        sleep 0.01;
    }
}

sub delays {
    my %times;
    for my $path (@_) {
        open my $file, '<', $path or die "$path: $!";
        while (<$file>) { my ($part, $moment) = split; push @{ $times{$part} }, $moment; }
    }
    my %text = (name => 'a new name that was looked for before', listing => 'a new name in a listing', content => 'new content of a file that was read before');
    for my $part (qw(name listing content)) {
        my ($made, $watched) = @{ $times{$part} // [] };
        printf "  %s: seen by another node %s\n", $text{$part}, defined $watched ? sprintf('after %.2f s', $watched > $made ? $watched - $made : 0) : 'not within 70 s';
    }
}

if ($what =~ /^(create|link|rename)$/) { race(@arguments) }
elsif ($what eq 'judge') { judge(@arguments) }
elsif ($what eq 'make') { make(@arguments) }
elsif ($what eq 'watch') { watch(@arguments) }
elsif ($what eq 'delays') { delays(@arguments) }
else { die "Unknown: $what\n" }
