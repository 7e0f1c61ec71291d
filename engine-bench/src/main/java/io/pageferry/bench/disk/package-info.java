/** Disks as guests beside other programs that copy disks over a network. */
package io.pageferry.bench.disk;
