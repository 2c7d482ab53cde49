# SPDX-License-Identifier: GPL-2.0
#
# Adds to each test's result how long it took on this machine, as "# SECONDS s".

/^# selftests: / {
	began = systime()
}

{
	print
}

/^(not )?ok [0-9]+ selftests: / {
	print "# " systime() - began " s"
}
