/** Commands that look at a file which a move left: an image, a capture. */
package io.pageferry.agent.cli.file;
