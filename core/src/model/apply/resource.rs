//! Resources: what is announced of one, and what is reported.

use crate::{
    model::{Lock, LockKind, Model, Resource, Slot, budget, descriptions::attributes},
    update::{NewResource, Permits, ResourceId, ResourceStats, Stamp},
};

impl Model {
    /// A resource's row; one that was not spoken of before gets the next number.
    pub(super) fn resource_slot(&mut self, id: ResourceId) -> Slot {
        let number = self.resources_numbered.saturating_add(1);
        let slot = self.resources.slot_or_insert(id, || Resource::new(id, number));
        if self.resources.at(slot).is_some_and(|resource| resource.number == number) {
            self.resources_numbered = number;
        }
        slot
    }

    pub(in crate::model) fn announce_resource(&mut self, new: NewResource, now: Stamp) {
        if self.resources.get(new.id).is_some_and(|resource| resource.dropped.is_some()) {
            self.returned.resources.insert(new.id, new);
            return;
        }
        if self.resources.slot(new.id).is_none() && !self.takes_other(now) {
            self.health.event();
            return;
        }
        self.note_early_resource(&new);
        let concrete_type = self.names.intern(&new.concrete_type);
        let kind = self.names.intern(&new.kind);
        let described = new.metadata.map_or("", |metadata| self.descriptions.target(metadata));
        let target = self.names.intern(if new.target.is_empty() { described } else { &new.target });
        let place = new.place.map(|place| self.places.intern(place)).unwrap_or_default();
        let slot = self.resource_slot(new.id);
        let Some(resource) = self.resources.at_mut(slot) else { return };
        if resource.concrete_type.is_empty() {
            self.health.event();
        }
        resource.parent = new.parent;
        resource.kind = kind;
        resource.concrete_type = concrete_type;
        resource.target = target;
        resource.place = place;
        resource.internal = new.internal;
        if let (None, Some(kind)) = (&resource.lock, LockKind::from_type(&new.concrete_type)) {
            resource.lock = Some(Box::new(Lock::new(kind, now)));
            self.locks.push(new.id);
        }
        if let Some(parent) = new.parent.filter(|&parent| parent != new.id) {
            let parent = self.resource_slot(parent);
            if let Some(parent) = self.resources.at_mut(parent)
                && !parent.parts.contains(&new.id)
            {
                parent.parts.push(new.id);
            }
        }
    }

    pub(in crate::model) fn report_resource(&mut self, id: ResourceId, stats: ResourceStats, now: Stamp) {
        if let Some(over) = self.resources.get(id).filter(|resource| resource.dropped.is_some()) {
            let again = self.returned.resources.remove(&id);
            if over.created == stats.created {
                return;
            }
            self.remove_resource(id);
            if let Some(new) = again {
                self.announce_resource(new, now);
            }
        }
        if self.resources.slot(id).is_none() && (self.evicted.new_others > 0 || !self.takes_other(now)) {
            return;
        }
        let attributes = attributes(stats.attributes, &self.descriptions, &mut self.names);
        let slot = self.resource_slot(id);
        let Some(resource) = self.resources.at_mut(slot) else { return };
        let first = resource.created.is_none();
        if first {
            self.health.announced(stats.created);
        }
        resource.created = stats.created;
        // Sent again is not changed, since whoever attaches gets everything twice; and what is announced late did not change then.
        if resource.attributes != attributes {
            self.loose_bytes += budget::attributes(&attributes);
            self.loose_bytes -= budget::attributes(&resource.attributes);
            resource.attributes = attributes;
            resource.changed_after = self.now.filter(|_| !first);
        }
        let bytes = |permits: &Option<Box<Permits>>| permits.as_deref().map_or(0, budget::permits);
        self.loose_bytes += bytes(&stats.permits);
        self.loose_bytes -= bytes(&resource.permits);
        resource.permits = stats.permits;
        if resource.permits.is_some() {
            self.counted.insert(id);
        }
        if let (None, Some(dropped)) = (resource.dropped, stats.dropped) {
            self.dropped_resources.push_back((dropped, id));
        }
        resource.dropped = stats.dropped;
        let lock = if resource.lock.is_some() { Some(id) } else { resource.parent };
        self.unsettled.extend(lock);
    }
}
