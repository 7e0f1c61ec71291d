/** What all phases of a target migration share: parts, options, figures, the image. */
package io.pageferry.core.incoming.session;
