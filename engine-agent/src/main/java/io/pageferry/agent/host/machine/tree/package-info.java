/** The files of a system in a tree, changes of them that are kept together, and its programs. */
package io.pageferry.agent.host.machine.tree;
