/** The Linux test guest: made from busybox and a kernel, booted, watched, and cleaned away. */
package io.pageferry.agent.demo;
