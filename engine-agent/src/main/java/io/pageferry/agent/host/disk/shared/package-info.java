/** Pages of disks that several readers take, each read once from the disks (docs/adr/0058). */
package io.pageferry.agent.host.disk.shared;
