/** Disks as guests beside other programs that copy disks: over a network, from format to format. */
package io.pageferry.bench.disk;
