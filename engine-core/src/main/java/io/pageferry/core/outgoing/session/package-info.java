/** What all phases of a source migration share: parts, options, progress, further links. */
package io.pageferry.core.outgoing.session;
