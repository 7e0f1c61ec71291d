/** HTTP as a port: a call in, an answer out; no socket, no library. */
package io.pageferry.transport.http;
